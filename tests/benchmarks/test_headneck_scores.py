import numpy as np


def test_common_slices_are_taken_organ_by_organ(benchmark_path):
    from headneck_scores import compare, in_common_slices

    found, truth = np.zeros((2, 4, 4, 6), np.uint8)
    found[1:3, 1:3, 0:4], truth[1:3, 1:3, 2:6] = 1, 1  # together in slices 2 and 3
    found[3, 3, 4:6], truth[3, 3, 4:6] = 2, 2
    before = found.copy()
    dice, surface, _ = compare(*in_common_slices(found, truth), np.ones(3), 2)
    assert dice.tolist() == surface.tolist() == [1, 1]
    assert compare(found, truth, np.ones(3), 2)[0].tolist() == [0.5, 1]
    assert np.array_equal(found, before)
