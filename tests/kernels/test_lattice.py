"""Framed flat arrays: there and back, neighbours, coordinates."""

import numpy as np
import pytest

from medseg.kernels.lattice import Lattice


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (1, 1)])
def test_there_and_back(shape):
    image = np.arange(1, np.prod(shape) + 1).reshape(shape)
    lattice = Lattice.of(shape)
    flat = lattice.flatten(image, -7)
    np.testing.assert_array_equal(lattice.restore(flat), image)
    inside = np.flatnonzero(flat != -7)
    assert inside.size == image.size
    np.testing.assert_array_equal(image[tuple(lattice.coordinates(inside).T)], flat[inside])


def test_flat_order_is_column_major():
    lattice = Lattice.of((2, 3))
    inside = np.flatnonzero(lattice.flatten(np.ones((2, 3)), 0))
    expected = [[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [1, 2]]
    np.testing.assert_array_equal(lattice.coordinates(inside), expected)


@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6)])
def test_steps_lead_to_the_neighbours(shape):
    lattice = Lattice.of(shape)
    centre = tuple(n // 2 for n in shape)
    image = np.zeros(shape)
    image[centre] = 1
    (p,) = np.flatnonzero(lattice.flatten(image, 0))
    for step, changed in zip(lattice.cube, lattice.axes_changed, strict=True):
        offset = lattice.coordinates(np.array([p + step]))[0] - centre
        assert np.abs(offset).max() == 1
        assert np.abs(offset).sum() == changed
    assert len(set(lattice.cube.tolist())) == 3 ** len(shape) - 1
    assert sorted(lattice.cube[lattice.axes_changed == 1]) == lattice.faces.tolist()
