import pytest
from dicom_series import write_series

from medseg.errors import InputError
from medseg.io.volume_reader import VolumeReader


def test_the_end_of_a_uid_that_reads_as_a_number(tmp_path):
    folders = [write_series(tmp_path / "ct", uid=f"1.2.826.{n}", name=f"{n}_{{}}.dcm") for n in (47, 48)]
    reader = VolumeReader(series=48)  # `--set series=48`
    assert reader.get_data(reader.read(folders[0]))[0].shape == (5, 4, 6)
    with pytest.raises(InputError, match=r"series=6\.48 .*more of the UID"):  # 6.480 would have lost its end
        VolumeReader(series=6.48)


def test_takes_volumes_and_folders_and_no_images(tmp_path):
    reader = VolumeReader()
    assert reader.verify_suffix([tmp_path, "x.nii.gz", "x.MHA"])
    assert not reader.verify_suffix(["x.nii.gz", "x.tif"])
