import nibabel as nib
import numpy as np
import pytest

from data_tools.pixels import read_pixels
from medseg.errors import InputError, InputWarning
from medseg.io import read_volume

VOXELS = np.zeros((5, 6, 7), np.int16)


@pytest.mark.parametrize(
    ("qform", "differ"),
    [(np.diag([2.0, -3, 5, 1]), "LAS and RPS"), (np.diag([-2.0, 3, 4, 1]), r"\[2.0, 3.0, 5.0\] and \[2.0, 3.0, 4.0\]")],
)
def test_matrices_that_contradict_each_other_are_warned_of(tmp_path, qform, differ):
    image = nib.Nifti1Image(VOXELS, np.diag([-2.0, 3, 5, 1]))
    image.set_sform(image.affine, 1)
    image.set_qform(qform, 1)
    nib.save(image, tmp_path / "a.nii")
    with pytest.warns(InputWarning, match=rf"a\.nii: its sform and qform contradict each other \(.*{differ}"):
        _, space = read_volume(tmp_path / "a.nii")
    np.testing.assert_array_equal(space.affine, np.diag([-2, 3, 5, 1]))


@pytest.mark.parametrize("size", [np.nan, 0.0])
def test_voxel_size_of_the_header_that_is_none(tmp_path, size):
    image = nib.Nifti1Image(VOXELS, None)
    image.header.set_xyzt_units("mm")
    content = bytearray(image.to_bytes())
    content[80:84] = np.float32(size).tobytes()
    content[252:256] = bytes(4)  # no qform, no sform
    (tmp_path / "a.nii").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"a\.nii: (voxel size|its voxel size)"):
        read_volume(tmp_path / "a.nii")


@pytest.mark.parametrize("read", [read_volume, lambda path: (read_pixels(path).array, None)])
def test_what_was_read_is_in_memory(tmp_path, read):
    """An array mapped from the file keeps it open: Windows would neither replace nor delete it."""
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)), path)
    array, _ = read(path)
    with path.open("r+b") as file:
        file.seek(352)
        file.write(np.ones(64, np.float32).tobytes())
    assert not array.any()


@pytest.mark.parametrize("voxels", [VOXELS, VOXELS[..., None]], ids=["3D", "one time"])
def test_sizes_along_axes_that_a_volume_lacks_may_be_0(tmp_path, voxels):
    image = nib.Nifti1Image(voxels, np.diag([-2.0, 3, 5, 1]))
    image.header.set_xyzt_units("mm")
    image.set_sform(None, 0)
    image.set_qform(image.affine, 1)
    content = bytearray(image.to_bytes())
    content[92:108] = bytes(16)  # pixdim[4:8]
    (tmp_path / "a.nii").write_bytes(bytes(content))
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii")[1].spacing_mm, (2, 3, 5))


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, forbidden):
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "ct.nii.gz")
    with pytest.raises(PermissionError):
        read_volume(forbidden(tmp_path / "ct.nii.gz"))
