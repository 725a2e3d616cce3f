import json

import numpy as np
import pytest


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


def test_own_weights_are_scored_as_they_were_trained(benchmark_path, tmp_path, monkeypatch, capsys):
    import headneck_scores

    (tmp_path / "network_settings.json").write_text(json.dumps({"spacing_mm": [2, 2, 2], "tile_shape": [8, 8, 8]}))
    used = {}

    def predictor(bundle, folder, overrides):
        used.update(overrides)
        raise SystemExit

    monkeypatch.setattr(headneck_scores, "Predictor", predictor)
    with pytest.raises(SystemExit):
        headneck_scores.score("headneck_ct_unet3d", [], tmp_path / "model.pt", {"tile_shape": [16, 16, 16]})
    assert (used["spacing_mm"], used["tile_shape"]) == ([2, 2, 2], [16, 16, 16])
    assert capsys.readouterr().out == "headneck_ct_unet3d as in training: spacing_mm=[2, 2, 2]\n"


def test_what_two_of_three_agree_on_is_the_vote(benchmark_path):
    from headneck_vote import vote

    labels = np.array([[1, 1, 1, 1, 0], [1, 1, 2, 2, 3], [1, 2, 1, 2, 4]])
    assert vote(*labels).tolist() == [1, 1, 1, 2, 0]
