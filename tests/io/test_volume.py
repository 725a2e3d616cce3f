import nibabel as nib
import numpy as np
import pytest
from nifti_file import save_nifti

from medseg.errors import InputError, InputWarning
from medseg.io import Space, read_volume, write_label_volume


def oblique(spacing=(2.0, 3.0, 5.0), flip=(1, 1, 1), angles=(0.3, -0.2, 0.5)) -> np.ndarray:
    """Rotated about all three axes, with some axes reversed, away from the origin."""
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = [i for i in range(3) if i != axis]
        turn = np.eye(3)
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    affine = np.eye(4)
    affine[:3, :3] = rotation * (np.array(spacing) * flip)
    affine[:3, 3] = (-31, 7, 90)
    return affine


def values(shape=(5, 6, 7)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape) - 100


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (-1, -1, -1), (1, -1, 1)])
@pytest.mark.parametrize("codes", [(1, 1), (2, 1), (0, 1), (4, 0)])
@pytest.mark.filterwarnings("error")  # one of the two matrices is enough
def test_labels_lie_where_the_nifti_lay(tmp_path, flip, codes):
    affine = oblique(flip=flip)
    path = save_nifti(tmp_path / "a.nii.gz", values(), affine, *codes)
    array, space = read_volume(path)
    np.testing.assert_array_equal(array, values())
    np.testing.assert_allclose(space.affine, affine, atol=1e-4)
    np.testing.assert_allclose(space.spacing_mm, (2, 3, 5), atol=1e-4)
    assert space.voxel_ml == pytest.approx(0.03, rel=1e-4)
    write_label_volume(tmp_path / "b.nii.gz", (array > 0).astype(np.int64), space)
    before, after = nib.load(path), nib.load(tmp_path / "b.nii.gz")
    assert after.get_data_dtype() == np.uint8
    np.testing.assert_allclose(after.affine, before.affine, atol=1e-5)
    for field in ("sform_code", "qform_code", "xyzt_units", "pixdim"):
        np.testing.assert_allclose(after.header[field], before.header[field], atol=1e-5, err_msg=field)


def test_both_matrices_are_kept_where_they_differ(tmp_path):
    image = nib.Nifti1Image(values(), oblique())
    image.set_sform(oblique(), 2)
    image.set_qform(oblique(angles=(0, 0, 0)), 1)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "a.nii")
    array, space = read_volume(tmp_path / "a.nii")
    np.testing.assert_allclose(space.affine, oblique(), atol=1e-4)
    write_label_volume(tmp_path / "b.nii", array.astype(np.uint16) * 0, space)
    before, after = (nib.load(tmp_path / name).header for name in ("a.nii", "b.nii"))
    np.testing.assert_allclose(after.get_sform(), before.get_sform(), atol=1e-4)
    np.testing.assert_allclose(after.get_qform(), before.get_qform(), atol=1e-4)
    assert (int(after["sform_code"]), int(after["qform_code"]), int(after["xyzt_units"])) == (2, 1, 10)


def test_space_survives_metadata():
    space = Space(oblique(), oblique(), np.eye(4), 2, 0, 10)
    back = Space.from_meta(space.to_meta())
    np.testing.assert_array_equal(back.affine, space.affine)
    np.testing.assert_array_equal(back.qform, space.qform)
    assert (back.sform_code, back.qform_code, back.units) == (2, 0, 10)
    assert Space.from_meta({}) is None


def test_scaling_of_the_header_is_applied(tmp_path):
    image = nib.Nifti1Image(values(), np.eye(4))
    image.header.set_slope_inter(2, -1000)
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii")[0], nib.load(tmp_path / "a.nii").get_fdata())


def test_a_plane_is_one_slice_and_a_fourth_axis_of_one_is_dropped(tmp_path):
    assert read_volume(save_nifti(tmp_path / "a.nii", values((5, 6, 1)), np.eye(4)))[0].shape == (5, 6, 1)
    assert read_volume(save_nifti(tmp_path / "b.nii", values((5, 6)), np.eye(4)))[0].shape == (5, 6, 1)
    assert read_volume(save_nifti(tmp_path / "c.nii", values((5, 6, 7, 1)), np.eye(4)))[0].shape == (5, 6, 7)


def test_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.nii: holds 3 volumes .*save the one to segment"):
        read_volume(save_nifti(tmp_path / "a.nii", values((5, 6, 7, 3)), np.eye(4)))
    flat = np.eye(4)
    flat[:3, 2] = flat[:3, 1]
    image = nib.Nifti1Image(values(), np.eye(4))
    image.header.set_xyzt_units("mm")
    image.header["srow_x"], image.header["srow_y"], image.header["srow_z"] = flat[:3]
    image.header["sform_code"] = 1
    content = bytearray(image.to_bytes())
    (tmp_path / "b.nii").write_bytes(with_sform(content, flat))
    with pytest.raises(InputError, match=r"b\.nii: its affine is not invertible"):
        read_volume(tmp_path / "b.nii")
    for size, message in ((np.nan, "its voxel size or position is NaN"), (0, "every axis needs a positive one")):
        broken = np.diag([size, 1, 1, 1])
        (tmp_path / "c.nii").write_bytes(with_sform(content, broken))
        with pytest.raises(InputError, match=rf"c\.nii: .*{message}"):
            read_volume(tmp_path / "c.nii")
    holes = values().astype(np.float32)
    holes[0, 0, :2] = np.nan
    with pytest.raises(InputError, match=r"d\.nii: 2 voxels are NaN or infinite"):
        read_volume(save_nifti(tmp_path / "d.nii", holes, np.eye(4)))
    whole = save_nifti(tmp_path / "e.nii.gz", values((30, 30, 30)), np.eye(4)).read_bytes()
    (tmp_path / "e.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"e\.nii\.gz: cannot be read as NIfTI, it is damaged"):
        read_volume(tmp_path / "e.nii.gz")
    (tmp_path / "e.nii.gz").write_bytes(whole[:-8] + bytes(8))  # the check sum at its end
    with pytest.raises(InputError, match=r"e\.nii\.gz: cannot be read as NIfTI, it is damaged"):
        read_volume(tmp_path / "e.nii.gz")
    (tmp_path / "f.nii").write_bytes(b"no volume")
    with pytest.raises(InputError, match=r"f\.nii: cannot be read"):
        read_volume(tmp_path / "f.nii")
    with pytest.raises(InputError, match="no such file"):
        read_volume(tmp_path / "g.nii")
    (tmp_path / "h.txt").write_text("x")
    with pytest.raises(InputError, match="not a volume medseg reads"):
        read_volume(tmp_path / "h.txt")
    colour = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colour, np.eye(4)), tmp_path / "i.nii")
    with pytest.raises(InputError, match="colour"):
        read_volume(tmp_path / "i.nii")


def with_sform(content: bytearray, affine: np.ndarray) -> bytes:
    """The file with another sform, which nibabel itself would not write."""
    changed = bytearray(content)
    changed[280:328] = affine[:3].astype("<f4").tobytes()
    return bytes(changed)


def test_metres_are_refused_and_no_orientation_is_warned_of(tmp_path):
    image = nib.Nifti1Image(values(), np.eye(4))
    image.header.set_xyzt_units("micron")
    nib.save(image, tmp_path / "a.nii")
    with pytest.raises(InputError, match="not in mm"):
        read_volume(tmp_path / "a.nii")
    path = save_nifti(tmp_path / "b.nii", values(), np.eye(4), 0, 0)
    with pytest.warns(InputWarning, match="left and right"):
        read_volume(path)


def test_labels_that_are_none_are_not_written(tmp_path):
    space = Space.scanner(np.eye(4))
    with pytest.raises(InputError, match="integers"):
        write_label_volume(tmp_path / "a.nii", np.zeros((2, 2, 2)), space)
    with pytest.raises(InputError, match="do not fit"):
        write_label_volume(tmp_path / "a.nii", np.full((2, 2, 2), 70000), space)
    with pytest.raises(InputError, match=r"\.nii\.gz"):
        write_label_volume(tmp_path / "a.tif", np.zeros((2, 2, 2), int), space)
    write_label_volume(tmp_path / "a.nii", np.full((2, 2, 2), 300), space)
    assert nib.load(tmp_path / "a.nii").get_data_dtype() == np.uint16
    with pytest.raises(InputError, match="exists already"):
        write_label_volume(tmp_path / "a.nii", np.zeros((2, 2, 2), int), space)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii"]
