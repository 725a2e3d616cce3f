import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.io import read_volume
from medseg.io.save_volume import SaveImageVolumed
from medseg.io.volume import Space

AFFINE = np.array([[-2.0, 0, 0, 30], [0, 0, 1.5, -4], [0, 3, 0, 9], [0, 0, 0, 1]])
SPACE = Space(AFFINE, AFFINE, np.diag([-2.0, 3, 1.5, 1]), sform_code=2, qform_code=0)


def labels(meta):
    return {"pred": MetaTensor(torch.arange(24).reshape(1, 2, 3, 4), meta={"filename_or_obj": "in/p1.nrrd", **meta})}


def test_labels_lie_where_the_input_lay(tmp_path):
    data = labels(SPACE.to_meta())
    assert SaveImageVolumed("pred", tmp_path / "out")(data)["pred"] is data["pred"]
    array, space = read_volume(tmp_path / "out" / "p1_labels.nii.gz")
    np.testing.assert_array_equal(array, data["pred"][0])
    np.testing.assert_allclose(space.affine, AFFINE)
    assert (space.sform_code, space.qform_code) == (2, 0)
    assert nib.load(tmp_path / "out" / "p1_labels.nii.gz").get_data_dtype() == np.uint8
    with pytest.raises(InputError, match="exists"):
        SaveImageVolumed("pred", tmp_path / "out")(data)
    SaveImageVolumed("pred", tmp_path / "out", overwrite=True)(data)


def test_a_volume_of_another_reader_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"p1\.nrrd: does not know its place"):
        SaveImageVolumed("pred", tmp_path)(labels({}))
    assert not list(tmp_path.iterdir())
