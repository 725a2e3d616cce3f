"""CT phantoms: Hounsfield units, organs on their side of the body, spacing in the affine, seeded."""

import nibabel as nib
import numpy as np
import pytest

from data_tools.synth.ct_phantom import CLASSES, ct_phantom
from medseg.errors import InputError

SAMPLE = ct_phantom((64, 56, 48), 0, spacing_mm=(6, 6, 8))


def test_types_geometry_and_organs():
    assert SAMPLE.image.dtype == np.int16
    assert SAMPLE.labels.dtype == np.uint8
    assert SAMPLE.image.shape == SAMPLE.labels.shape == (64, 56, 48)
    assert sorted(np.unique(SAMPLE.labels)) == [int(v) for v in CLASSES]
    np.testing.assert_allclose(nib.affines.voxel_sizes(SAMPLE.affine), (6, 6, 8))
    assert nib.aff2axcodes(SAMPLE.affine) == ("R", "A", "S")
    np.testing.assert_allclose(SAMPLE.affine @ [31.5, 27.5, 23.5, 1], [0, 0, 0, 1])


def test_hounsfield_units():
    def median(value):
        return np.median(SAMPLE.image[SAMPLE.labels == value])

    assert SAMPLE.image[0, 0, 0] < -900
    assert 70 < median(1) < 140
    assert 100 < median(3) < 220
    assert median(6) < -700
    assert SAMPLE.image.max() > 300


@pytest.mark.parametrize("seed", range(5))
def test_organs_lie_where_they_belong(seed):
    labels = ct_phantom((64, 56, 48), seed, spacing_mm=(6, 6, 8)).labels
    centre = {v: np.argwhere(labels == v).mean(axis=0) for v in range(1, 8)}
    assert centre[1][0] > centre[2][0], "the liver is right of the spleen"
    assert centre[3][0] > centre[4][0], "the right kidney is on the right"
    assert centre[6][2] > centre[1][2], "the lungs are above the liver"
    assert centre[5][1] < centre[1][1], "the cord is behind the liver"


def test_seeded_slices_and_any_size():
    again = ct_phantom((64, 56, 48), 0, spacing_mm=(6, 6, 8))
    np.testing.assert_array_equal(again.image, SAMPLE.image)
    assert (ct_phantom((64, 56, 48), 1, spacing_mm=(6, 6, 8)).image != SAMPLE.image).any()
    flat = ct_phantom((90, 70), 2)
    assert flat.image.shape == flat.labels.shape == (90, 70)
    assert flat.labels.any()
    assert ct_phantom((16, 17, 1), 3).image.shape == (16, 17, 1)


def test_body_does_not_depend_on_the_spacing():
    coarse = ct_phantom((48, 40, 24), 0, spacing_mm=(8, 8, 16))
    volume = [(s.labels == 1).sum() * np.prod(s.spacing_mm) for s in (coarse, SAMPLE)]
    assert 0.6 < volume[0] / volume[1] < 1.6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (8, 64, 64)}, "at least 16"),
        ({"shape": (64,)}, "shape is"),
        ({"spacing_mm": (1, 1)}, "spacing_mm is"),
        ({"spacing_mm": (1, 1, 0)}, "spacing_mm is"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        ct_phantom(**options)
