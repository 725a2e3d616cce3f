import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from medseg.transforms.displacement import displacement_field, smallest_jacobian, without_folds


@pytest.mark.parametrize(("points", "shape"), [((3, 3), (33, 49)), ((2, 4, 3), (9, 13, 11)), ((5,), (41,))])
def test_is_the_mirrored_cubic_spline_through_the_control_points(points, shape):
    control = np.random.default_rng(0).normal(size=(len(shape), *points))
    field = displacement_field(control, shape).numpy()
    scale = [(k - 1) / (n - 1) for k, n in zip(points, shape, strict=True)]
    places = np.indices(shape) * np.reshape(scale, (-1, *[1] * len(shape)))
    for component, values in zip(field, control, strict=True):
        np.testing.assert_allclose(component, map_coordinates(values, places, order=3, mode="mirror"), atol=2e-6)


def test_passes_through_the_control_points():
    control = np.random.default_rng(1).normal(size=(2, 3, 3))
    field = displacement_field(control, (65, 33)).numpy()
    np.testing.assert_allclose(field[:, ::32, ::16], control, atol=1e-6)


def test_one_control_point_shifts_and_one_pixel_is_allowed():
    field = displacement_field(np.array([[[2.0]], [[-1.0]]]), (4, 5)).numpy()
    assert (field[0] == 2).all()
    assert (field[1] == -1).all()
    assert displacement_field(np.ones((3, 3, 3, 3)), (1, 8, 8)).shape == (3, 1, 8, 8)


def full_resolution_minimum(control, shape):
    u = displacement_field(control, shape).numpy().astype(float)
    jacobian = np.stack([np.stack(np.gradient(c), -1) for c in u], -2) + np.eye(len(shape))
    return np.linalg.det(jacobian).min()


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), sigma=st.floats(0, 30), points=st.integers(2, 5))
def test_nothing_folds_after_the_guard(seed, sigma, points):
    shape = (70, 81)
    control = np.random.default_rng(seed).normal(0, sigma, (2, points, points))
    guarded = without_folds(control, shape)
    assert full_resolution_minimum(guarded, shape) > 0
    if full_resolution_minimum(control, shape) > 0.2:
        np.testing.assert_array_equal(guarded, control)


def test_jacobian_of_a_fold_and_of_the_identity():
    assert smallest_jacobian(np.zeros((3, 3, 3, 3)), (20, 20, 20)) == 1
    fold = np.zeros((2, 3, 3))
    fold[0, 0], fold[0, 2] = 30, -30
    assert smallest_jacobian(fold, (40, 40)) < 0
    assert full_resolution_minimum(fold, (40, 40)) == pytest.approx(smallest_jacobian(fold, (40, 40)), abs=0.05)
