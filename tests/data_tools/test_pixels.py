"""One reader and writer for TIFF, PNG and NIfTI."""

import numpy as np
import pytest

from data_tools.pixels import Pixels, read_pixels, write_pixels
from medseg.errors import InputError

AFFINE = np.array([[-2.0, 0, 0, 5], [0, -2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nifti_keeps_values_dtype_and_affine(tmp_path, ending):
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 5
    write_pixels(tmp_path / f"a{ending}", Pixels(array, None, AFFINE))
    back = read_pixels(tmp_path / f"a{ending}")
    np.testing.assert_array_equal(back.array, array)
    assert back.array.dtype == np.int16
    np.testing.assert_allclose(back.affine, AFFINE)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{ending}"]


def test_nifti_labels(tmp_path):
    labels = np.full((2, 2, 2), 300)
    write_pixels(tmp_path / "l.nii.gz", Pixels(labels, None, AFFINE), labels=True)
    assert read_pixels(tmp_path / "l.nii.gz", labels=True).array.dtype == np.uint16
    for values, message in ((0.5, "fractions"), (-1, "negative ids"), (np.nan, "NaN")):
        path = tmp_path / f"{message[:3]}.nii"
        write_pixels(path, Pixels(np.full((2, 2, 2), values, np.float32), None, AFFINE))
        with pytest.raises(InputError, match=message):
            read_pixels(path, labels=True)


def test_whole_floats_are_labels(tmp_path):
    write_pixels(tmp_path / "l.nii", Pixels(np.full((2, 2, 2), 3.0, np.float32), None, AFFINE))
    assert read_pixels(tmp_path / "l.nii", labels=True).array.max() == 3


def test_damaged_nifti(tmp_path):
    write_pixels(
        tmp_path / "a.nii.gz",
        Pixels(np.random.default_rng(0).integers(0, 99, (9, 9, 9)).astype(np.int16), None, AFFINE),
    )
    data = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_pixels(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="no such file"):
        read_pixels(tmp_path / "b.nii")
