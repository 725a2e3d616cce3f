import numpy as np
import pytest
import SimpleITK as sitk

from medseg.errors import InputError, InputWarning
from medseg.io import read_volume
from medseg.io.paths import image_stem

VALUES = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7) - 100


@pytest.mark.parametrize("suffix", ["nrrd", "nhdr", "mha", "mhd"])
def test_itk_formats(tmp_path, suffix):
    image = sitk.GetImageFromArray(VALUES.T)
    image.SetSpacing((2, 3, 5))
    image.SetOrigin((1, 2, 3))
    image.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    path = tmp_path / f"x.v.{suffix}"
    sitk.WriteImage(image, str(path))
    array, space = read_volume(path)
    np.testing.assert_array_equal(array, VALUES)
    index = (3, 4, 6)
    place = np.array(image.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
    np.testing.assert_allclose(space.affine @ (*index, 1), (*place, 1), atol=1e-6)
    assert (space.sform_code, space.qform_code, space.units) == (1, 1, 2)  # millimetres in the scanner
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
        ("x.nrrd", ["spacings: 1 1 NaN"], "no voxel size"),
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
        ("x.nrrd", ["# a comment", "space: right-anterior-superior", DIRECTIONS, 'space units: "mm" "MM" " mm"']),
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
    sitk.WriteImage(sitk.GetImageFromArray(VALUES[..., 0]), str(tmp_path / f"x.{suffix}"))
    with pytest.raises(InputError, match=rf"x\.{suffix}: a plane does not say how thick it is"):
        read_volume(tmp_path / f"x.{suffix}")


def test_colour_of_itk_formats_is_refused(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True), str(tmp_path / "x.mha"))
    with pytest.raises(InputError, match="3 values per voxel"):
        read_volume(tmp_path / "x.mha")


def test_of_four_axes_the_last_one_may_have_one_volume(tmp_path):
    for count in (1, 2):
        image = sitk.GetImageFromArray(np.stack([VALUES.T] * count), isVector=False)
        image.SetSpacing((2, 3, 5, 9))
        sitk.WriteImage(image, str(tmp_path / f"{count}.mha"))
    array, space = read_volume(tmp_path / "1.mha")
    np.testing.assert_array_equal(array, VALUES)
    np.testing.assert_allclose(space.spacing_mm, (2, 3, 5))
    with pytest.raises(InputError, match=r"2\.mha: holds 2 volumes"):
        read_volume(tmp_path / "2.mha")
