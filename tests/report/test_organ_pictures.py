"""Planes through an organ: the right ones, turned as radiologists see them, both outlines in their colours."""

import numpy as np
import pytest

from medseg.report.organ_pictures import BOTH, PREDICTION, REFERENCE, organ_pictures, worst_plane

SPACING = np.array([2.0, 1.0, 4.0])


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(-1)


@pytest.fixture
def masks():
    reference = np.zeros((30, 40, 20), bool)
    reference[10:20, 10:30, 5:15] = True
    prediction = reference.copy()
    prediction[16:20, 24:30, 11:15] = False  # right, anterior, superior corner
    return prediction, reference


def test_the_plane_of_the_largest_difference_is_chosen(masks):
    prediction, reference = masks
    prediction[12, 12:14, 7] = False
    assert [worst_plane(prediction, reference, axis) for axis in range(3)] == [16, 24, 11]


def test_of_equal_masks_the_largest_area_is_chosen():
    mask = np.zeros((5, 5, 5), bool)
    mask[1, 1, 1] = mask[3, :, 3] = True
    assert [worst_plane(mask, mask, axis) for axis in range(3)] == [3, 1, 3]


def test_both_outlines_are_drawn_as_seen_from_the_feet(masks):
    pictures = {p.plane: p for p in organ_pictures(*masks, SPACING)}
    assert [(p.plane, p.index) for p in pictures.values()] == [("axial", 11), ("coronal", 24), ("sagittal", 16)]
    corner = {"axial": (0, 0), "coronal": (0, 0), "sagittal": (0, 1)}  # rows from above, columns from the left
    for name, p in pictures.items():
        missed = coloured(p.picture, REFERENCE)
        assert missed.any(), name
        assert coloured(p.picture, PREDICTION).any(), name
        assert coloured(p.picture, BOTH).any(), name
        centre = np.array(p.picture.shape[:2]) / 2
        place = np.argwhere(missed).mean(0) > centre
        assert tuple(place.astype(int)) == corner[name], name


def test_pixels_are_square_in_mm(masks):
    axial, coronal, sagittal = (p.picture.shape[:2] for p in organ_pictures(*masks, SPACING))
    extent = {0: (28 - 2) * 2, 1: 40, 2: (19 - 1) * 4}  # mm: about 15 around the organ, or to where the volume ends
    for (height, width), (down, across) in zip((axial, coronal, sagittal), ((1, 0), (2, 0), (2, 1)), strict=True):
        assert max(height, width) == 224
        assert height / width == pytest.approx(extent[down] / extent[across], rel=0.02)


def test_the_ct_is_shown_from_air_to_bone(masks):
    image = np.full(masks[0].shape, -200.0, np.float32)
    image[15:] = 400
    picture = next(iter(organ_pictures(*masks, SPACING, image))).picture
    grey = ~(coloured(picture, REFERENCE) | coloured(picture, PREDICTION) | coloured(picture, BOTH))
    assert (picture[:, :50][grey[:, :50]] == 255).all()  # the patient's right is on the left
    assert (picture[:, -50:][grey[:, -50:]] == 0).all()
    row = picture[0, :, 0].astype(int)
    assert abs(row + row[::-1] - 255).max() <= 1, "the step is in the middle of the voxels 2 to 27 that are shown"
    middle = next(organ_pictures(*masks, SPACING, np.full_like(image, 100)))
    assert (middle.picture[0] == 127).all()


def test_an_organ_that_one_side_lacks_is_drawn(masks):
    nothing = np.zeros_like(masks[0])
    for p in organ_pictures(nothing, masks[1], SPACING):
        assert coloured(p.picture, REFERENCE).any()
        assert not coloured(p.picture, PREDICTION).any()


def test_no_piece_is_too_small_to_be_drawn():
    reference = np.zeros((500, 500, 3), bool)
    reference[20:60, 20:60, 1] = True
    for x in range(440, 450):  # more voxels than pixels
        prediction = reference.copy()
        prediction[x, 2 * x - 450, 1] = True
        axial = next(organ_pictures(prediction, reference, SPACING))
        assert axial.picture.shape[0] < 450
        assert coloured(axial.picture, PREDICTION).any(), x
