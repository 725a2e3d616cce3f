import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from medseg.errors import InputError, InputWarning
from medseg.io import Space, list_volumes, read_volume, write_label_volume
from medseg.io.paths import image_stem


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


def save(path, array, affine, sform=1, qform=1):
    image = nib.Nifti1Image(array, affine)
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (-1, -1, -1), (1, -1, 1)])
@pytest.mark.parametrize("codes", [(1, 1), (2, 1), (0, 1), (4, 0)])
def test_labels_lie_where_the_nifti_lay(tmp_path, flip, codes):
    affine = oblique(flip=flip)
    path = save(tmp_path / "a.nii.gz", values(), affine, *codes)
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
    assert read_volume(save(tmp_path / "a.nii", values((5, 6, 1)), np.eye(4)))[0].shape == (5, 6, 1)
    assert read_volume(save(tmp_path / "b.nii", values((5, 6)), np.eye(4)))[0].shape == (5, 6, 1)
    assert read_volume(save(tmp_path / "c.nii", values((5, 6, 7, 1)), np.eye(4)))[0].shape == (5, 6, 7)


def test_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.nii: holds 3 volumes .*save the one to segment"):
        read_volume(save(tmp_path / "a.nii", values((5, 6, 7, 3)), np.eye(4)))
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
    broken = np.eye(4)
    broken[0, 0] = np.nan
    (tmp_path / "c.nii").write_bytes(with_sform(content, broken))
    with pytest.raises(InputError, match=r"c\.nii: its voxel size or position is NaN"):
        read_volume(tmp_path / "c.nii")
    holes = values().astype(np.float32)
    holes[0, 0, :2] = np.nan
    with pytest.raises(InputError, match=r"d\.nii: 2 voxels are NaN or infinite"):
        read_volume(save(tmp_path / "d.nii", holes, np.eye(4)))
    whole = save(tmp_path / "e.nii.gz", values((30, 30, 30)), np.eye(4)).read_bytes()
    (tmp_path / "e.nii.gz").write_bytes(whole[: len(whole) // 2])
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
    path = save(tmp_path / "b.nii", values(), np.eye(4), 0, 0)
    with pytest.warns(InputWarning, match="left and right"):
        read_volume(path)


@pytest.mark.parametrize("suffix", ["nrrd", "nhdr", "mha", "mhd"])
def test_itk_formats(tmp_path, suffix):
    image = sitk.GetImageFromArray(values().T)
    image.SetSpacing((2, 3, 5))
    image.SetOrigin((1, 2, 3))
    image.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    path = tmp_path / f"x.v.{suffix}"
    sitk.WriteImage(image, str(path))
    array, space = read_volume(path)
    np.testing.assert_array_equal(array, values())
    index = (3, 4, 6)
    place = np.array(image.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
    np.testing.assert_allclose(space.affine @ (*index, 1), (*place, 1), atol=1e-6)
    assert image_stem(path) == "x.v"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_volume(path)


def itk_file(path, *lines):
    """A volume of zeros ``(5, 6, 7)`` whose header has these lines about its voxels."""
    if path.suffix == ".nrrd":
        head = ["NRRD0005", "type: short", "dimension: 3", "sizes: 5 6 7", "endian: little", "encoding: raw"]
        head += [*lines, ""]
    else:
        head = ["ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False", *lines]
        head += ["DimSize = 5 6 7", "ElementType = MET_SHORT", "ElementDataFile = LOCAL"]
    path.write_bytes("".join(f"{line}\n" for line in head).encode() + bytes(2 * 5 * 6 * 7))
    return path


DIRECTIONS = "space directions: (1,0,0) (0,2,0) (0,0,3)"


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("x.nrrd", ["spacings: 500 500 1000", 'units: "um" "um" "um"'], r"not in mm \(um\)"),
        ("x.nrrd", ["space: LPS", DIRECTIONS, 'space units: "cm" "cm" "cm"'], r"not in mm \(cm\)"),
        ("x.nrrd", [], "no voxel size"),
        ("x.nrrd", ["spacings: 1 1 nan"], "no voxel size"),
        ("x.mha", [], "no voxel size"),
        ("x.mha", ["ElementSpacing = 1 1 2", "DistanceUnits = um"], r"not in mm \(um\)"),
    ],
)
def test_itk_formats_without_a_voxel_size_in_mm_are_refused(tmp_path, name, lines, message):
    with pytest.raises(InputError, match=rf"{name}: .*{message}"):
        read_volume(itk_file(tmp_path / name, *lines))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("x.nrrd", ["spacings: 1 2 3"]),
        ("x.nrrd", ["space dimension: 3", DIRECTIONS]),
        ("x.nrrd", ["space: scanner-xyz", DIRECTIONS]),
        ("x.mha", ["ElementSpacing = 1 2 3"]),
    ],
)
def test_itk_formats_that_do_not_say_which_side_is_right_are_warned_of(tmp_path, name, lines):
    with pytest.warns(InputWarning, match=rf"{name}: .*taken as LPS: check that left and right"):
        space = read_volume(itk_file(tmp_path / name, *lines))[1]
    np.testing.assert_allclose(space.spacing_mm, (1, 2, 3))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("x.nrrd", ["# a comment", "space: right-anterior-superior", DIRECTIONS, 'space units: "mm" "mm" "mm"']),
        ("x.nrrd", ["space: LAS", DIRECTIONS, "who:=space units"]),
        ("x.nrrd", ["space: right anterior superior", DIRECTIONS.replace(" ", "", 1)]),
        ("x.mha", ["ElementSpacing = 1 2 3", "TransformMatrix = 1 0 0 0 1 0 0 0 1", "DistanceUnits = mm"]),
        ("x.mha", ["ElementSpacing : 1 2 3", "TransformMatrix : 1 0 0 0 1 0 0 0 1"]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_itk_formats_that_say_it_all(tmp_path, name, lines):
    np.testing.assert_allclose(read_volume(itk_file(tmp_path / name, *lines))[1].spacing_mm, (1, 2, 3))


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_a_plane_of_unknown_thickness_is_refused(tmp_path, suffix):
    sitk.WriteImage(sitk.GetImageFromArray(values((5, 6))), str(tmp_path / f"x.{suffix}"))
    with pytest.raises(InputError, match=rf"x\.{suffix}: a plane does not say how thick it is"):
        read_volume(tmp_path / f"x.{suffix}")


def test_colour_of_itk_formats_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True), str(tmp_path / "x.mha"))
    with pytest.raises(InputError, match="3 values per voxel"):
        read_volume(tmp_path / "x.mha")


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


def test_listing(tmp_path):
    for name in ("b10.nii.gz", "b9.nrrd", "note.txt", ".hidden.nii"):
        (tmp_path / name).write_bytes(b"")
    assert [p.name for p in list_volumes(tmp_path)] == ["b9.nrrd", "b10.nii.gz"]
    assert [p.name for p in list_volumes(str(tmp_path / "*.nii.gz"))] == ["b10.nii.gz"]
    with pytest.raises(InputError, match="no such file"):
        list_volumes(tmp_path / "x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b11.mha").write_bytes(b"")
    assert [p.name for p in list_volumes(str(tmp_path / "[bs]*"))] == ["b9.nrrd", "b10.nii.gz", "b11.mha"]
    (tmp_path / "b11.nii").symlink_to(tmp_path / "gone.nii")
    assert [p.name for p in list_volumes(tmp_path)] == ["b9.nrrd", "b10.nii.gz", "b11.nii"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no volumes in this folder"):
        list_volumes(tmp_path / "empty")
    with pytest.raises(InputError, match="no input"):
        list_volumes([])
