import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medseg.kernels.nms import greedy_nms


def slow_nms(boxes, order, groups, threshold):
    """Greedy, each box against all that were kept."""
    dims = boxes.shape[1] // 2
    kept = []
    for i in order:
        for j in kept:
            sides = np.minimum(boxes[i, dims:], boxes[j, dims:]) - np.maximum(boxes[i, :dims], boxes[j, :dims])
            inter = np.prod(np.maximum(sides, 0))
            union = np.prod(boxes[i, dims:] - boxes[i, :dims]) + np.prod(boxes[j, dims:] - boxes[j, :dims]) - inter
            if groups[i] == groups[j] and union > 0 and inter / union > threshold:
                break
        else:
            kept.append(i)
    result = np.zeros(len(boxes), bool)
    result[kept] = True
    return result


@st.composite
def problems(draw):
    dims, n = draw(st.integers(2, 3)), draw(st.integers(0, 40))
    # halves of small integers: many equal boxes, touching ones and IoUs equal to the threshold
    low = draw(hnp.arrays(np.int64, (n, dims), elements=st.integers(-12, 12))) / 2
    side = draw(hnp.arrays(np.int64, (n, dims), elements=st.integers(0, 12))) / 2
    scale = 4.0 ** draw(hnp.arrays(np.int64, (n, 1), elements=st.integers(-1, 3)))
    boxes = np.concatenate([low, low + side * scale], axis=1) * 10.0 ** draw(st.integers(-3, 3))
    groups = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 1)))
    order = np.array(draw(st.permutations(range(n))), dtype=np.int64)
    return boxes, order, groups, draw(st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.7, 1.0]))


@settings(max_examples=100)
@given(problems())
def test_equals_the_pairwise_loop(problem):
    assert np.array_equal(greedy_nms(*problem), slow_nms(*problem))


def test_crowds_of_mixed_sizes():
    rng = np.random.default_rng(5)
    for dims, threshold in ((2, 0.1), (2, 0.5), (3, 0.3), (3, 0.7)):
        low = rng.uniform(0, 30, (120, dims))
        boxes = np.concatenate(
            [low, low + 2 ** rng.uniform(-3, 5, (120, 1)) * rng.uniform(0.7, 1, (120, dims))], axis=1
        )
        problem = boxes, rng.permutation(120), rng.integers(0, 2, 120), threshold
        assert np.array_equal(greedy_nms(*problem), slow_nms(*problem))


def test_boxes_far_smaller_than_the_largest():
    boxes = np.array([[5, 5, 5 + 1e-6, 5 + 1e-6], [5, 5, 5 + 1e-6, 5 + 1e-6], [0, 0, 1e6, 1e6]])
    assert greedy_nms(boxes, np.arange(3), np.zeros(3, np.int64), 0.5).tolist() == [True, False, True]


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.8])
def test_neighbours_in_other_cells_of_the_grid_are_met(threshold):
    """Pairs just above and just below the threshold, one box left and one right of where cells of size 1 meet."""
    side, far = 0.99, 10.0 * np.arange(1, 41)
    shift = side * (1 - threshold) / (1 + threshold)  # where the IoU of the pair is the threshold
    for share, survive in ((0.999, False), (1.001, True)):
        for start in np.linspace(0, shift, 100):
            pair = np.array([[1 - start, 0.5], [1 - start + share * shift, 0.5]]) - side / 2
            low = np.concatenate([pair, np.stack([far, far], axis=1)])  # far boxes, so that the grid is used
            boxes = np.concatenate([low, low + side], axis=1)
            n = len(boxes)
            kept = greedy_nms(boxes, np.arange(n)[::-1].copy(), np.zeros(n, np.int64), threshold)
            assert kept.tolist() == [survive] + [True] * (n - 1)
