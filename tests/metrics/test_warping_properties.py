"""Topological warping error: what holds for any pair of images."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from medseg.metrics.warping import topological_warping_error


def probabilities(shape):
    return arrays(np.float32, shape, elements=st.floats(0, 1, width=32))


@st.composite
def stacks(draw):
    shape = draw(array_shapes(min_dims=2, max_dims=3, max_side=7))
    return draw(probabilities(shape)), draw(arrays(bool, shape)), draw(st.booleans()) and len(shape) == 3


@settings(max_examples=60)
@given(stacks())
def test_never_exceeds_the_pixel_error(pair):
    prediction, reference, volumetric = pair
    found = topological_warping_error(prediction, reference, volumetric=volumetric)
    for score in found.sweep:
        pixel_error = ((prediction.astype(np.float64) > score.threshold) != reference).mean()
        assert 0 <= score.error <= score.classic_error <= pixel_error
        assert score.classic_error == score.pixels.total / reference.size
        assert score.clusters.total <= score.pixels.total
    assert found.value == min(s.error for s in found.sweep)
    assert found.threshold == next(s.threshold for s in found.sweep if s.error == found.value)


@settings(max_examples=40)
@given(stacks())
def test_identity_is_zero(pair):
    _, reference, volumetric = pair
    for prediction in (reference, reference.astype(np.float32), reference.astype(np.int64) * 7):
        found = topological_warping_error(prediction, reference, volumetric=volumetric)
        assert found.value == found.classic_error == found.pixels.total == 0


@settings(max_examples=30)
@given(stacks())
def test_threads_change_nothing(pair):
    prediction, reference, volumetric = pair
    options = {"volumetric": volumetric, "positions": True}
    one = topological_warping_error(prediction, reference, threads=1, **options)
    for threads in (2, 5):
        other = topological_warping_error(prediction, reference, threads=threads, **options)
        assert other.sweep == one.sweep
        assert other.mismatches == one.mismatches
        np.testing.assert_array_equal(other.class_map, one.class_map)
