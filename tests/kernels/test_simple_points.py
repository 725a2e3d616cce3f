"""Simple points against their definition, written out with flood fills."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from medseg.kernels.simple_points import SIMPLE_4_8, is_simple_6_26, simple_points


def by_definition(cube, connectivity):
    """Exactly one object piece touches the centre, exactly one background piece does (3^n neighbourhood)."""
    ndim = cube.ndim
    full = 3**ndim - 1
    pieces = {4: pieces_by_faces, 6: pieces_by_faces, 8: pieces_by_corners, 26: pieces_by_corners}
    other = {4: 8, 8: 4, 6: 26, 26: 6}[connectivity]
    assert full in (8, 26)
    centre = np.zeros(cube.shape, bool)
    centre[(1,) * ndim] = True
    return pieces[connectivity](cube & ~centre) == 1 == pieces[other](~cube & ~centre)


def pieces_by_faces(cells):
    """Face-connected pieces that touch a face of the centre; in 3D they are formed without the corners."""
    ndim = cells.ndim
    faces = ndimage.generate_binary_structure(ndim, 1)
    near = ndimage.generate_binary_structure(ndim, 2)  # 2D: all of the 3 x 3; 3D: the 18-neighbourhood
    labels, _ = ndimage.label(cells & near, faces)
    return len(set(labels[faces]) - {0})


def pieces_by_corners(cells):
    return ndimage.label(cells, np.ones((3,) * cells.ndim))[1]


@pytest.mark.parametrize("connectivity", [4, 8])
def test_all_256_neighbourhoods(connectivity):
    for bits in itertools.product([False, True], repeat=8):
        image = np.array([*bits[:4], False, *bits[4:]]).reshape(3, 3)
        expected = by_definition(image, connectivity)
        for centre in (False, True):
            image[1, 1] = centre
            assert simple_points(image, connectivity)[1, 1] == expected, image
    assert SIMPLE_4_8.sum() == 116


@pytest.mark.parametrize("connectivity", [6, 26])
def test_random_3d_neighbourhoods(connectivity):
    rng = np.random.default_rng(connectivity)
    simple = 0
    for density in np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 120):
        cube = rng.random((3, 3, 3)) < density
        expected = by_definition(cube, connectivity)
        assert simple_points(cube, connectivity)[1, 1, 1] == expected, cube.astype(int)
        simple += expected
    assert 60 < simple < 540  # both answers were asked for


def test_3d_code_is_read_in_raster_order():
    centre = 1 << 13
    for cell in set(range(27)) - {13}:
        # One foreground voxel beside the centre is simple iff it touches a face of it.
        on_face = cell in (4, 10, 12, 14, 16, 22)
        assert is_simple_6_26(1 << cell) == on_face
        assert not is_simple_6_26(((1 << 27) - 1) ^ centre)


@pytest.mark.parametrize("shape", [(7, 9), (5, 6, 4), (1, 6), (6, 1), (1, 1), (1, 4, 5)])
def test_border_sees_background_outside(shape):
    image = np.random.default_rng(3).random(shape) > 0.5
    connectivity = 4 if len(shape) == 2 else 6
    inside = (slice(1, -1),) * len(shape)
    padded = simple_points(np.pad(image, 1), connectivity)[inside]
    np.testing.assert_array_equal(simple_points(image, connectivity), padded)


def test_swapped_connectivity_also_sees_background_outside():
    image = np.random.default_rng(4).random((9, 8)) > 0.5
    np.testing.assert_array_equal(simple_points(np.pad(image, 1), 8)[1:-1, 1:-1], simple_points(image, 8))


def test_names_a_connectivity_that_does_not_exist():
    with pytest.raises(ValueError, match="a 3D image has no simple points of connectivity 18"):
        simple_points(np.zeros((3, 3, 3)), 18)
