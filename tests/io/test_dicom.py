import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import SPACING, hounsfield, write_series

from medseg.errors import InputError
from medseg.io import list_volumes, read_volume
from medseg.io.dicom import is_dicom_folder
from medseg.io.paths import image_stem

TURNED = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0)  # rows run to the back, columns to the right


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), TURNED, (0.8, 0.6, 0, -0.6, 0.8, 0)])
def test_series_sorted_by_place_in_hounsfield_units(tmp_path, orientation):
    folder = write_series(tmp_path / "ct.1", orientation=orientation)
    (folder / "notes.txt").write_text("passed over")
    array, space = read_volume(folder)
    np.testing.assert_array_equal(array, hounsfield())
    across, down = np.array(orientation[:3]), np.array(orientation[3:])
    index = np.array([3, 2, 4])
    place = np.array([-10, 20, 30]) + across * 3 * 0.8 + down * 2 * 1.1 + np.cross(across, down) * 4 * 2.5
    np.testing.assert_allclose(space.affine @ (*index, 1), (*(place * (-1, -1, 1)), 1), atol=1e-4)
    np.testing.assert_allclose(space.spacing_mm, SPACING, atol=1e-4)
    assert image_stem(folder) == "ct.1"


def test_one_slice(tmp_path):
    slice_of_5_mm = {0: {"0018|0050": "5"}}
    array, space = read_volume(write_series(tmp_path / "ct", hounsfield()[:, :, :1], tags=slice_of_5_mm))
    assert array.shape == (5, 4, 1)
    np.testing.assert_allclose(space.spacing_mm, (0.8, 1.1, 5))
    with pytest.raises(InputError, match=r"00\.dcm: a single slice that does not say how thick it is"):
        read_volume(write_series(tmp_path / "unknown", hounsfield()[:, :, :1]))


def test_several_series_are_named_and_one_can_be_chosen(tmp_path):
    write_series(tmp_path / "ct", name="a{}.dcm")
    write_series(tmp_path / "ct", hounsfield()[:, :, :2] + 1, uid="1.2.826.99", name="b{}.dcm")
    with pytest.raises(
        InputError, match=r"2 series: 1\.2\.826\.1 \(6 slices, neck\); 1\.2\.826\.99 \(2 slices, neck\)"
    ):
        read_volume(tmp_path / "ct")
    assert read_volume(tmp_path / "ct", series=".99")[0].shape == (5, 4, 2)
    with pytest.raises(InputError, match="does not name one series"):
        read_volume(tmp_path / "ct", series="7")


def test_a_missing_slice_is_named(tmp_path):
    folder = write_series(tmp_path / "ct", places=[0, 2.5, 7.5, 10, 12.5, 15])
    with pytest.raises(InputError, match=r"5\.000 mm lie between 05\.dcm and 03\.dcm, 2\.500 mm .* 1 missing there"):
        read_volume(folder)


def test_uneven_and_doubled_slices_are_named(tmp_path):
    with pytest.raises(InputError, match=r"1\.000 mm lie between .*, 2\.500 mm between most slices; export"):
        read_volume(write_series(tmp_path / "near", places=[0, 2.5, 5, 6, 8.5, 11]))
    with pytest.raises(InputError, match=r"3\.000 mm lie between 06\.dcm and 04\.dcm"):
        read_volume(write_series(tmp_path / "a", places=[0, 2.5, 5, 7.5, 10.0, 13.0]))
    with pytest.raises(InputError, match=r"0[35]\.dcm and 0[35]\.dcm lie at the same place"):
        read_volume(write_series(tmp_path / "b", places=[0, 2.5, 2.5, 5, 7.5, 10]))


def test_gantry_tilt_is_named(tmp_path):
    shift = {k: {"0020|0032": f"-10\\{20 + k}\\{30 + 2.5 * k}"} for k in range(6)}
    with pytest.raises(InputError, match=r"sheared by 21\.8 degrees \(gantry tilt\)"):
        read_volume(write_series(tmp_path / "ct", tags=shift))


def test_slices_that_differ_are_named(tmp_path):
    tilted = {3: {"0020|0037": "1\\0\\0\\0\\0.8\\0.6"}}
    with pytest.raises(InputError, match=r"01\.dcm: its orientation 1, 0, 0, 0, 0\.8, 0\.6 is not that of"):
        read_volume(write_series(tmp_path / "a", tags=tilted))
    write_series(tmp_path / "c", hounsfield()[:, :, :3])
    write_series(tmp_path / "c", hounsfield()[:, :, :1], spacing=(0.8, 0.9, 2.5), places=[20.0], name="z{}.dcm")
    with pytest.raises(InputError, match=r"z0\.dcm: its pixel spacing 0\.9, 0\.8 is not that of"):
        read_volume(tmp_path / "c")
    write_series(tmp_path / "b", hounsfield()[:, :, :3])
    write_series(tmp_path / "b", hounsfield()[:3, :, :1], places=[20.0], name="z{}.dcm")
    with pytest.raises(InputError, match=r"z0\.dcm: its size 3, 4 is not that of"):
        read_volume(tmp_path / "b")


def test_colour_is_refused(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((4, 5, 3), np.uint8), isVector=True)
    (tmp_path / "ct").mkdir()
    sitk.WriteImage(image, str(tmp_path / "ct" / "a.dcm"))
    with pytest.raises(InputError, match=r"a\.dcm: a colour image \(3 values per pixel\)"):
        read_volume(tmp_path / "ct")


def test_slices_of_another_type_and_rescaling_keep_their_values(tmp_path):
    """The first one is unsigned and without offset; the negative values of the others do not wrap."""
    soft = np.full((5, 4, 1), 40, np.uint16)
    folder = write_series(tmp_path / "ct", soft, places=[0], tags={0: {"0028|1052": "0"}})
    write_series(folder, hounsfield()[:, :, :3], places=[2.5, 5, 7.5], name="b{}.dcm")
    array, _ = read_volume(folder)
    np.testing.assert_array_equal(array, np.concatenate([soft, hounsfield()[:, :, :3]], axis=2))


@pytest.mark.parametrize("made_from_images", ["5.1.4.1.1.481.3", "5.1.4.1.1.66.4", "5.1.4.1.1.88.22", "1.3.10"])
def test_structure_sets_and_reports_beside_the_slices_are_passed_over(tmp_path, made_from_images):
    folder = write_series(tmp_path / "ct")
    uid = f"1.2.840.10008.{made_from_images}".encode()
    uid += b"\0" * (len(uid) % 2)
    header = b"\2\0\2\0UI" + len(uid).to_bytes(2, "little") + uid
    for path in (folder / "RS.dcm", tmp_path / "rtstruct" / "RS.dcm"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(128) + b"DICM" + header + b"\6\x30")
    np.testing.assert_array_equal(read_volume(folder)[0], hounsfield())
    assert not is_dicom_folder(tmp_path / "rtstruct")
    assert list_volumes(tmp_path) == [folder]


def test_localizers_and_other_modalities_beside_the_slices_are_passed_over(tmp_path):
    """In one folder, or in one of their own, as archives of whole studies keep them."""
    scout = {0: {"0008|0008": "ORIGINAL\\PRIMARY\\LOCALIZER"}}
    magnetic = {k: {"0008|0060": "MR"} for k in range(6)}
    folder = write_series(tmp_path / "p" / "ct")
    for where, name in ((folder, "scout.dcm"), (tmp_path / "p" / "scout", "0.dcm")):
        write_series(where, hounsfield()[:, :, :1], uid="1.2.826.5", orientation=TURNED, tags=scout, name=name)
    for where in (folder, tmp_path / "p" / "mr"):
        write_series(where, uid="1.2.826.6", tags=magnetic, name="mr{}.dcm")
    np.testing.assert_array_equal(read_volume(folder)[0], hounsfield())
    assert list_volumes(tmp_path) == [folder]
    with pytest.raises(InputError, match=r"scout: no CT slices in this folder, only localizers \(scouts\)"):
        read_volume(tmp_path / "p" / "scout")
    with pytest.raises(InputError, match="only images of modality MR"):
        read_volume(tmp_path / "p" / "mr")


def test_a_slice_beside_the_others_is_named(tmp_path):
    """At even distances along the normal, as the slices of two scans that were mixed can be."""
    aside = {2: {"0020|0032": "-10\\23\\35"}}
    with pytest.raises(InputError, match=r"03\.dcm lies 3\.0 mm beside the line of the others"):
        read_volume(write_series(tmp_path / "ct", tags=aside))


def test_a_multi_frame_file_is_refused(tmp_path):
    (tmp_path / "ct").mkdir()
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5), np.uint8)), str(tmp_path / "ct" / "a.dcm"))
    with pytest.raises(InputError, match=r"a\.dcm: a multi-frame \(enhanced\) DICOM of 3 frames"):
        read_volume(tmp_path / "ct")


def test_a_file_cut_off_is_named(tmp_path):
    folder = write_series(tmp_path / "ct")
    whole = (folder / "03.dcm").read_bytes()
    (folder / "03.dcm").write_bytes(whole[:200])
    with pytest.raises(InputError, match=r"03\.dcm: (damaged or no image|does not say where)"):
        read_volume(folder)


def test_folders_of_series_are_listed(tmp_path):
    for name in ("p10", "p9"):
        write_series(tmp_path / name, hounsfield()[:, :, :1])
    assert [p.name for p in list_volumes(tmp_path)] == ["p9", "p10"]
    assert [p.name for p in list_volumes(tmp_path / "p9")] == ["p9"]
    assert [p.name for p in list_volumes(str(tmp_path / "p*"))] == ["p9", "p10"]
    assert is_dicom_folder(tmp_path / "p9")
    assert not is_dicom_folder(tmp_path)
    (tmp_path / "p9" / "x.nii").write_bytes(b"")
    with pytest.raises(InputError, match="beside DICOM"):
        list_volumes(tmp_path / "p9")


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no DICOM images"):
        read_volume(tmp_path)
    with pytest.raises(InputError, match="name the folder"):
        read_volume(write_series(tmp_path / "ct") / "00.dcm")
