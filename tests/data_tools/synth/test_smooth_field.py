"""Smooth fields: a partition of unity, unit variance, continuous in z."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from data_tools.synth.smooth_field import SmoothField, bspline_basis


@given(st.integers(4, 12), st.integers(0, 1000))
def test_basis_is_the_cubic_b_spline(knots, seed):
    positions = np.random.default_rng(seed).uniform(0, knots - 3, 20)
    basis = bspline_basis(positions, knots)
    np.testing.assert_allclose(basis.sum(axis=1), 1, atol=1e-6)
    expected = BSpline.design_matrix(positions, np.arange(-3.0, knots + 1), 3).toarray()
    np.testing.assert_allclose(basis, expected, atol=1e-6)


def test_variance_is_about_one():
    values = [SmoothField.draw(np.random.default_rng(s), (3, 60, 60), 6.0).section(1) for s in range(30)]
    assert 0.85 < np.std(values) < 1.15


def test_neighbouring_sections_are_alike():
    field = SmoothField.draw(np.random.default_rng(0), (40, 50, 50), 8.0, 10.0)
    assert np.corrcoef(field.section(10).ravel(), field.section(11).ravel())[0, 1] > 0.9
    assert np.corrcoef(field.section(0).ravel(), field.section(39).ravel())[0, 1] < 0.7
