"""One reader and writer for TIFF, PNG and NIfTI."""

import errno
import os
from contextlib import suppress

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
    header = nib.load(tmp_path / f"a{ending}").header
    assert (header["sform_code"], header["qform_code"]) == (1, 1)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{ending}"]


@pytest.mark.parametrize(("highest", "dtype"), [(255, np.uint8), (65535, np.uint16), (74999, np.uint32)])
def test_nifti_labels_keep_their_ids(tmp_path, highest, dtype):
    labels = np.array([0, highest] * 4).reshape(2, 2, 2)
    write_pixels(tmp_path / "l.nii.gz", Pixels(labels, None, AFFINE), labels=True)
    back = read_pixels(tmp_path / "l.nii.gz", labels=True).array
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, labels)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_full_disk_is_named_where_no_open_file_can_be_removed(tmp_path, no_space_left, monkeypatch, ending):
    """As on Windows."""
    unlink = type(tmp_path).unlink

    def in_use(path, missing_ok=False):
        if path.exists() and any(_is_open(number, path.stat()) for number in range(3, 256)):
            raise PermissionError(errno.EACCES, "in use by another process", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(type(tmp_path), "unlink", in_use)
    noise = np.random.default_rng(0).integers(0, 9999, (20, 20, 20)).astype(np.int16)
    with no_space_left(), pytest.raises(OSError, match="File too large"):
        write_pixels(tmp_path / f"a{ending}", Pixels(noise, None, AFFINE))
    assert list(tmp_path.iterdir()) == []


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


def _is_open(number: int, file: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(number), file)
    return False
