"""Articulation points against removing every pixel and labelling again."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from medseg.kernels.articulation import articulation_points
from medseg.kernels.lattice import Lattice


def by_removal(image):
    parting = np.zeros(image.shape, bool)
    for pixel in zip(*np.nonzero(image), strict=True):
        without = image.copy()
        without[pixel] = False
        # An isolated pixel takes its object away; nothing else lowers the count.
        parting[pixel] = ndimage.label(without)[1] > ndimage.label(image)[1]
    return parting


def found(image):
    lattice = Lattice.of(image.shape)
    ids = lattice.flatten(image.astype(np.int32), -1)
    return lattice.restore(articulation_points(ids, np.flatnonzero(ids > 0), lattice.faces))


@settings(max_examples=100)
@given(st.data())
def test_equals_removal(data):
    ndim = data.draw(st.sampled_from([2, 3]))
    shape = data.draw(array_shapes(min_dims=ndim, max_dims=ndim, max_side=9 if ndim == 2 else 4))
    image = data.draw(arrays(bool, shape))
    np.testing.assert_array_equal(found(image), by_removal(image))


def test_long_path_needs_no_recursion():
    snake = np.ones((101, 101), bool)
    snake[1::4, :-1] = False
    snake[3::4, 1:] = False
    np.testing.assert_array_equal(found(snake[:9, :9]), by_removal(snake[:9, :9]))
    ends = np.zeros_like(snake)
    ends[0, 0] = ends[-1, -1] = True
    np.testing.assert_array_equal(found(snake), snake & ~ends)


def test_looks_only_at_objects_with_a_seed():
    image = np.array([[1, 1, 1, 0, 1, 1, 1]], bool)
    lattice = Lattice.of(image.shape)
    ids = lattice.flatten(image.astype(np.int32), -1)
    seed = np.flatnonzero(ids > 0)[:1]
    parting = lattice.restore(articulation_points(ids, seed, lattice.faces))
    np.testing.assert_array_equal(np.argwhere(parting), [[0, 1]])
