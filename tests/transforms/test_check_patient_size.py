import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError, InputWarning
from medseg.transforms import CheckPatientSized


def volume(shape, spacing):
    affine = torch.diag(torch.tensor([*spacing, 1.0]))
    return MetaTensor(torch.zeros(1, *shape), affine=affine, meta={"filename_or_obj": "p1.nii.gz"})


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((64, 64, 30), (0.5, 0.5, 1)),
        ((512, 512, 1), (0.98, 0.98, 5)),
        ((8, 8, 20), (100, 125, 125)),
        ((40, 8, 8), (5, 5, 5)),
    ],
)
def test_patients_and_parts_of_them_pass(shape, spacing):
    image = volume(shape, spacing)
    assert CheckPatientSized("image")({"image": image})["image"] is image


@pytest.mark.parametrize(
    ("spacing", "size"),
    [
        ((0.001, 0.001, 0.002), "0.064 x 0.064 x 0.06"),  # metres
        ((40, 40, 5), "2560 x 2560 x 150"),  # 1/10 mm
        ((20, 20, 5), "1280 x 1280 x 150"),
        ((1, 1, 100), "64 x 64 x 3000"),
    ],
)
def test_other_units_than_mm_are_refused(spacing, size):
    with pytest.raises(InputError, match=rf"^p1\.nii\.gz: {size} mm large, voxels of .* mm: no patient is of that"):
        CheckPatientSized("image")({"image": volume((64, 64, 30), spacing)})


def test_a_patient_in_cm_is_warned_of_and_passes():
    image = volume((512, 512, 100), (0.098, 0.098, 0.3))
    with pytest.warns(InputWarning, match=r"^p1\.nii\.gz: 50\.18 .* in mm, not in cm\?$"):
        assert CheckPatientSized("image")({"image": image})["image"] is image


def test_an_array_without_voxel_size_is_refused():
    with pytest.raises(InputError, match="'image' carries no voxel size"):
        CheckPatientSized("image")({"image": torch.zeros(1, 64, 64, 30)})


def test_other_limits():
    tooth = volume((64, 64, 30), (0.1, 0.1, 0.1))
    assert CheckPatientSized("image", (1, 100))({"image": tooth})["image"] is tooth
    assert CheckPatientSized("image", allow_missing_keys=True)({}) == {}
