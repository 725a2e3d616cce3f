"""Three planes through a place: what is drawn where, to which scale, and that an error through z is seen."""

import base64

import imagecodecs
import numpy as np
import pytest

from medseg.report.pictures import COLOURS, prediction_picture, truth_picture
from medseg.report.place_cards import crops
from medseg.report.places import map_errors
from medseg.report.planes import planes_through

SHAPE = (9, 20, 30)


def merged_through_z(shape=SHAPE):
    """Two cells, one upon the other, and specks: they are numbers 1 and 13, whose colours are the same."""
    reference = np.zeros(shape, bool)
    middle = shape[0] // 2
    reference[:middle, 2:18, 2:28] = reference[middle + 1 :, 2:18, 2:28] = True
    reference[0, 19, 2:24:2] = True
    prediction = reference.copy()
    prediction[middle, 8:11, 8:11] = True
    return map_errors(prediction, reference, 0, volumetric=True)


def colours_around(picture, plane, reach):
    (place,) = plane.errors.places
    near = picture[max(place.y - reach, 0) : place.y + reach + 1, place.x]
    return {tuple(colour) for colour in near.tolist()} - {(45, 45, 45)}


def test_cells_joined_through_z_differ_in_the_planes_along_z():
    errors = merged_through_z()
    (place,) = errors.places
    xy, xz, yz = planes_through(errors, place, 96, (1, 1, 1))
    assert [plane.name for plane in (xy, xz, yz)] == ["XY", "XZ", "YZ"]
    for plane in (xz, yz):
        assert len(colours_around(truth_picture(plane.errors, 0), plane, 3)) == 2
        assert len(colours_around(prediction_picture(plane.errors, 0), plane, 3)) == 1


def test_pixels_are_the_voxels_under_them_to_scale():
    errors = merged_through_z()
    (place,) = errors.places
    planes = planes_through(errors, place, 96, (2.5, 0.5, 0.5))
    assert [plane.errors.classes.shape for plane in planes] == [(1, 20, 30), (1, 45, 30), (1, 45, 20)]
    for plane in planes:
        (here,) = plane.errors.places
        assert plane.errors.classes[0, here.y, here.x] == errors.classes[place.section, place.y, place.x] > 0
        cut = np.moveaxis(errors.classes[plane.voxels], plane.across, 0)
        np.testing.assert_array_equal(plane.errors.classes, cut)
    np.testing.assert_array_equal(planes[0].errors.classes[0], errors.classes[place.section])
    np.testing.assert_array_equal(planes[1].errors.classes[0], errors.classes[:, place.y].repeat(5, 0))
    np.testing.assert_array_equal(planes[2].errors.classes[0], errors.classes[:, :, place.x].repeat(5, 0))


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5)])
def test_without_a_voxel_size_voxels_are_cubes(spacing):
    errors = merged_through_z()
    planes = planes_through(errors, errors.places[0], 96, spacing)
    assert [plane.errors.classes.shape for plane in planes] == [(1, 20, 30), (1, 9, 30), (1, 9, 20)]


@pytest.mark.parametrize(
    ("spacing", "xz"),
    [
        ((1, 1, 1), (16, 16)),
        ((30, 1, 1), (64, 16)),  # would be 150 high
        ((6, 1, 1), (30, 16)),  # five sections, not the two or three of 16 pixels
        ((0.5, 1, 1), (32, 32)),
        ((1e-5, 1, 1), (1, 64)),
        ((1e5, 1, 1), (64, 16)),
    ],
)
def test_windows_are_as_large_as_they_must_be(spacing, xz):
    errors = merged_through_z((41, 40, 40))
    for place in errors.places:
        _, plane, _ = planes_through(errors, place, 16, spacing)
        assert plane.errors.classes.shape[1:] == xz


def test_a_place_lies_in_the_middle_of_its_windows():
    reference = np.zeros((1, 60, 70), np.uint8)
    prediction = reference.copy()
    prediction[0, 30, 40] = 1
    errors = map_errors(prediction, reference, 0, volumetric=True)
    planes = planes_through(errors, errors.places[0], 8, (3, 0.5, 0.5))
    assert [voxels.ravel().tolist() for voxels in planes[0].voxels] == [[0], [*range(27, 35)], [*range(37, 45)]]


def test_one_section_and_a_place_at_the_rim():
    reference = np.zeros((1, 12, 14), np.uint8)
    prediction = reference.copy()
    prediction[0, 11, 13] = 1
    errors = map_errors(prediction, reference, 0, volumetric=True)
    planes = planes_through(errors, errors.places[0], 8, (3, 1, 1))
    assert [plane.errors.classes.shape for plane in planes] == [(1, 8, 8), (1, 3, 8), (1, 3, 8)]
    assert (planes[0].errors.places[0].y, planes[0].errors.places[0].x) == (7, 7)
    assert [voxels.ravel().tolist() for voxels in planes[0].voxels] == [[0], list(range(4, 12)), list(range(6, 14))]


def test_the_place_is_ringed_in_every_picture():
    errors = merged_through_z()
    raw = np.zeros(SHAPE, np.uint8)
    rows = crops(errors, raw, errors.places[0], (1, 1, 1))
    assert [[name for name, _ in row] for row in rows] == [
        [f"{plane} {what}" for what in ("image", "prediction", "truth", "error")] for plane in ("XY", "XZ", "YZ")
    ]
    for row in rows:
        for _, address in row:
            picture = imagecodecs.png_decode(base64.b64decode(address.partition(",")[2]))
            assert (picture == COLOURS["merge"]).all(axis=-1).sum() > 10
