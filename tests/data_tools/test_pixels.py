"""One reader and writer for TIFF, PNG and NIfTI."""

import nibabel as nib
import numpy as np
import pytest

from data_tools.pixels import Pixels, read_pixels, write_pixels
from medseg.errors import InputError

AFFINE = np.array([[-2.0, 0, 0, 5], [0, -2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.float32])
def test_nifti_keeps_values_dtype_and_affine(tmp_path, ending, dtype):
    array = np.arange(24, dtype=dtype).reshape(2, 3, 4) - 5
    write_pixels(tmp_path / f"a{ending}", Pixels(array, None, AFFINE))
    back = read_pixels(tmp_path / f"a{ending}")
    np.testing.assert_array_equal(back.array, array)
    assert back.array.dtype == dtype
    np.testing.assert_allclose(back.affine, AFFINE)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{ending}"]


@pytest.mark.parametrize(("highest", "dtype"), [(255, np.uint8), (65535, np.uint16), (74999, np.uint32)])
def test_nifti_labels_keep_their_ids(tmp_path, highest, dtype):
    labels = np.array([0, highest] * 4).reshape(2, 2, 2)
    write_pixels(tmp_path / "l.nii.gz", Pixels(labels, None, AFFINE), labels=True)
    back = read_pixels(tmp_path / "l.nii.gz", labels=True).array
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, labels)


def test_nifti_that_holds_no_labels(tmp_path):
    for values, message in ((0.5, "fractions"), (-1, "negative ids"), (np.nan, "NaN")):
        path = tmp_path / f"{message[:3]}.nii"
        write_pixels(path, Pixels(np.full((2, 2, 2), values, np.float32), None, AFFINE))
        with pytest.raises(InputError, match=message):
            read_pixels(path, labels=True)


def test_nifti_of_one_volume(tmp_path):
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(np.ones((4, 3, 2, 1, 1), np.int16), AFFINE), path)
    assert read_pixels(path).array.shape == (4, 3, 2)
    colour = np.zeros((4, 3, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for array in (np.ones(4, np.int16), np.ones((4, 3, 2, 5), np.int16), np.ones((4, 3, 2), np.complex64), colour):
        nib.save(nib.Nifti1Image(array, AFFINE), path)
        with pytest.raises(InputError, match="save one volume of real numbers"):
            read_pixels(path)


@pytest.mark.parametrize("unit", ["micron", "meter"])
def test_nifti_in_other_units_than_millimetres_is_refused(tmp_path, unit):
    volume = nib.Nifti1Image(np.ones((4, 3, 2), np.int16), AFFINE)
    volume.header.set_xyzt_units(unit)
    nib.save(volume, tmp_path / "a.nii")
    with pytest.raises(InputError, match=r"a\.nii: its voxel size is not in mm"):
        read_pixels(tmp_path / "a.nii")


def with_header(path, start, values):
    """The file with these bytes of its header changed, which nibabel itself would not write."""
    content = bytearray(nib.Nifti1Image(np.ones((4, 3, 2), np.int16), AFFINE).to_bytes())
    for offset, dtype, value in zip(start, ("<f4", "<i2", "<i2"), values, strict=False):
        content[offset : offset + np.dtype(dtype).itemsize] = np.array(value, dtype).tobytes()
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize(
    ("start", "values", "message"),
    [
        ((280,), (np.nan,), "voxel size or position is NaN"),
        ((80, 252, 254), (0, 0, 0), "every axis needs a positive one"),
        ((280,), (0,), "every axis needs a positive one"),
    ],
)
def test_nifti_whose_header_places_no_voxels_is_refused(tmp_path, start, values, message):
    with pytest.raises(InputError, match=rf"a\.nii: .*{message}"):
        read_pixels(with_header(tmp_path / "a.nii", start, values))


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


def test_nifti_that_may_not_be_read_is_not_called_damaged(tmp_path, forbidden):
    write_pixels(tmp_path / "a.nii.gz", Pixels(np.zeros((2, 2, 2), np.uint8), None, AFFINE))
    with pytest.raises(PermissionError):
        read_pixels(forbidden(tmp_path / "a.nii.gz"))
