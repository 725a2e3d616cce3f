from itertools import permutations

import pytest

from medseg.io import Geometry
from medseg.io.wrong_unit import why_no_microscopy, why_no_patient, why_perhaps_in_cm

CT = (512, 512, 100)  # of 0.98 x 0.98 x 3 mm


@pytest.mark.parametrize(
    ("scale", "no_patient", "in_cm"), [(1, False, False), (0.001, True, True), (0.1, False, True), (1000, True, False)]
)
def test_a_ct_whose_unit_was_mistaken(scale, no_patient, in_cm):
    size = [scale * s for s in (0.98, 0.98, 3)], CT
    assert bool(why_no_patient(*size)) == no_patient
    assert bool(why_perhaps_in_cm(*size)) == in_cm


@pytest.mark.parametrize(
    ("shape", "no_patient"), [((2000, 500, 400), False), ((3000, 500, 400), True), ((1500, 1500, 400), True)]
)
def test_a_patient_may_lie_along_any_axis(shape, no_patient):
    for turned in permutations(shape):
        assert bool(why_no_patient((1, 1, 1), turned)) == no_patient


def test_what_is_said():
    size = (0.098, 0.098, 0.3), CT
    assert why_perhaps_in_cm(*size).startswith("50.18 x 50.18 x 30 mm large, voxels of 0.098 x 0.098 x 0.3 mm: small")
    assert why_perhaps_in_cm(*size, (5, 100)) is None  # somebody knows that it is small


def test_crops_of_a_ct_are_not_taken_for_cm():
    assert why_perhaps_in_cm((0.98, 0.98, 3), (64, 64, 16)) is None


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (Geometry("YX"), None),
        (Geometry("YX", (0.5, 0.5), "inch"), None),
        (Geometry("ZYX", (500, 0.5, 0.5), "um"), None),  # sections far apart
        (Geometry("YX", (4.0, 4.0), "nm"), None),
        (Geometry("YX", (0.5e-6, 0.5e-6), "um"), "5e-07 x 5e-07 µm, smaller than an atom"),
        (Geometry("CZYX", (1, 0.0353, 0.0353), "cm"), "353 x 353 µm, larger than cells"),
    ],
)
def test_pixels_of_no_microscope(geometry, said):
    found = why_no_microscopy(geometry)
    assert found is None if said is None else said in found
