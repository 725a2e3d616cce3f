"""Markers of lobes: drawings, and a reference by morphological reconstruction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import distance_transform_edt, generate_binary_structure
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction

from medseg.kernels.necks import lobe_markers


def two_discs(apart: int, radius: int = 10, small: int = 10) -> np.ndarray:
    """Two discs whose centres are so many pixels apart, the first of ``radius``, the second of ``small``."""
    y, x = np.mgrid[-radius - 2 : radius + 3, -radius - 2 : apart + small + 3]
    return (y**2 + x**2 <= radius**2) | (y**2 + (x - apart) ** 2 <= small**2)


def test_a_dumbbell_is_two_and_a_disc_is_one():
    markers = lobe_markers(two_discs(20), 0.5)
    assert markers.dtype == np.int32
    assert markers.max() == 2
    assert markers[12, 12] != markers[12, 32]
    assert lobe_markers(two_discs(0), 0.5).max() == 1
    assert lobe_markers(two_discs(6), 0.5).max() == 1


def test_the_neck_is_measured_against_the_shallower_lobe():
    knob = two_discs(11, small=3)  # a neck as wide as the knob itself
    assert distance_transform_edt(knob)[12, 21] < 0.5 * distance_transform_edt(knob).max()
    assert lobe_markers(knob, 0.5).max() == 1
    assert lobe_markers(two_discs(18, small=8), 0.5).max() == 2


def test_size_does_not_matter():
    for radius in (20, 40, 80):
        assert lobe_markers(two_discs(round(1.8 * radius), radius, radius), 0.5).max() == 2
        assert lobe_markers(two_discs(round(1.2 * radius), radius, radius), 0.5).max() == 1


def test_the_pixel_grid_makes_no_neck():
    bar = np.pad(np.ones((2, 9)), 2)
    bar[2, 6] = 0  # one pixel wide in one place, two elsewhere
    assert lobe_markers(bar, 0.5).max() == 1


def test_volumes():
    z = np.abs(np.arange(-12, 13))[:, None, None]
    y, x = np.mgrid[-12:13, -12:31]
    balls = (z**2 + y**2 + x**2 <= 100) | (z**2 + y**2 + (x - 18) ** 2 <= 100)
    assert lobe_markers(balls, 0.5).max() == 2
    assert lobe_markers(balls, 0.1).max() == 1


@pytest.mark.parametrize("mask", [np.ones((4, 5)), np.zeros((4, 5)), np.zeros((0, 3))])
def test_without_background_or_foreground(mask):
    np.testing.assert_array_equal(lobe_markers(mask, 0.5), mask)


masks = arrays(bool, array_shapes(min_dims=2, max_dims=3, max_side=14), elements=st.integers(0, 9).map(bool))


@given(masks, st.sampled_from((0.31, 0.53, 0.71, 0.9)))
@settings(max_examples=300, deadline=None)
def test_same_as_by_reconstruction(mask, neck):
    before = mask.copy()
    markers = lobe_markers(mask, neck)
    np.testing.assert_array_equal(mask, before)
    if mask.all():
        assert (markers == 1).all()
        return
    depth = distance_transform_edt(mask) + 0.5 * mask
    cross = generate_binary_structure(mask.ndim, 1)
    flooded = reconstruction(neck * depth, depth, footprint=cross)
    # a constant image has no maxima for scikit-image, though each of its components is one here
    framed = np.pad(flooded * mask, 1)
    maxima = label(local_maxima(framed, connectivity=1), connectivity=1)[(slice(1, -1),) * mask.ndim]
    both = np.unique(np.stack([markers.ravel(), maxima.ravel()]), axis=1)
    assert both.shape[1] == markers.max(initial=0) + (markers == 0).any() == maxima.max(initial=0) + (maxima == 0).any()


@given(masks)
@settings(max_examples=60, deadline=None)
def test_no_neck_marks_components(mask):
    both = np.unique(np.stack([lobe_markers(mask, 0.0).ravel(), label(mask, connectivity=1).ravel()]), axis=1)
    assert both.shape[1] == len(np.unique(both[0])) == len(np.unique(both[1]))


@pytest.mark.parametrize("neck", [-0.1, 1.0, float("nan")])
def test_refused(neck):
    with pytest.raises(ValueError, match="below 1"):
        lobe_markers(np.ones((3, 3)), neck)
