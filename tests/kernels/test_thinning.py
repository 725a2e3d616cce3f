"""Border thinning against the reference implementation and drawings whose answer is known."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from isbi2012_cases import each_case, load_case

from medseg.kernels.components import label_components
from medseg.kernels.thinning import thin


def drawn(text):
    return np.array([[int(c) for c in row] for row in text.split("/")])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1100011", "1110222"),
        ("11000011", "11110222"),  # an even gap: the lower label grows
        ("11100/11100/00000/00011/00011", "11111/11110/11102/11022/10222"),  # open at the corner
        ("000/000", "111/111"),  # nothing there: everything merged
        ("111/111", "111/111"),
        ("1", "1"),
    ],
)
def test_drawings(rows, expected):
    labels = thin(drawn(rows))
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, drawn(expected))


def test_numbers_in_column_major_order():
    np.testing.assert_array_equal(thin(drawn("001/000/100")) == 1, drawn("000/100/110"))


@each_case
def test_reference_cases(case_folder):
    case = load_case(case_folder)
    for threshold, expected in zip(case.expected["thresholds"], case.expected["thinning"], strict=True):
        labels = np.stack([thin(section.astype(np.float64) > threshold) for section in case.proposal])
        assert labels.max(axis=(1, 2)).tolist() == expected["labels_per_slice"]
        assert (labels == 0).sum(axis=(1, 2)).tolist() == expected["dam_pixels_per_slice"]
        nondam = (labels > 0).astype(np.uint8)
        assert hashlib.sha256(nondam.tobytes()).hexdigest() == expected["nondam_mask_sha256"]


@settings(max_examples=60)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_every_segment_is_a_grown_component(foreground):
    before = foreground.copy()
    labels = thin(foreground)
    components = label_components(foreground.T, 4)[0].T
    np.testing.assert_array_equal(foreground, before)
    np.testing.assert_array_equal(labels[foreground], components[foreground])
    for segment in range(1, labels.max() + 1):
        assert label_components(labels == segment, 4)[1] == 1
    different = (labels[1:] != labels[:-1]) & (labels[1:] > 0) & (labels[:-1] > 0)
    assert not different.any(), "two segments touch without a dam"


def literal_thinning(foreground):
    """The flooding rules as they are written, pixel by pixel on (y, x)."""
    height, width = foreground.shape
    labels = label_components(foreground.T, 4)[0].T.copy()
    if not labels.any():
        return np.ones_like(labels)
    undecided, queued = -1, -2
    labels[labels == 0] = undecided

    def neighbours(y, x):
        around = [(y, x - 1), (y - 1, x), (y, x + 1), (y + 1, x)]  # left, up, right, down
        return [(v, u) for v, u in around if 0 <= v < height and 0 <= u < width]

    queue = []
    for x in range(width):
        for y in range(height):
            if labels[y, x] == undecided and any(labels[n] > 0 for n in neighbours(y, x)):
                queue.append((y, x))
    for p in queue:
        labels[p] = queued
    for p in queue:  # grows while it is walked through
        inherited = False
        for n in neighbours(*p):
            if labels[n] > 0:
                if labels[p] == queued or inherited:
                    labels[p], inherited = labels[n], False
                elif labels[p] > 0 and labels[p] != labels[n]:
                    labels[p] = 0
            elif labels[n] == 0:
                if labels[p] == queued:
                    labels[p], inherited = 0, True
            elif labels[n] == undecided:
                labels[n] = queued
                queue.append(n)
    return labels


@pytest.mark.parametrize("density", [0.005, 0.02, 0.1, 0.4])
def test_equals_the_rules_read_literally(density):
    rng = np.random.default_rng(3)
    for shape in [(31, 44), (40, 25)] * 4:
        foreground = rng.random(shape) < density
        np.testing.assert_array_equal(thin(foreground), literal_thinning(foreground))


def test_refuses_a_stack():
    with pytest.raises(ValueError, match=r"one \(Y, X\) section, got shape \(2, 3, 4\)"):
        thin(np.zeros((2, 3, 4), bool))
