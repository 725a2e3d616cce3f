import numpy as np
import pytest
from checked_folder import SAMPLES, codes
from nifti_file import save_nifti

from medseg.io import Geometry, write_image, write_labels


@pytest.mark.parametrize(("spacing", "wrong"), [(4.0, False), (0.004, True), (0.4, True), (40.0, False), (100.0, True)])
def test_a_voxel_size_in_another_unit(tmp_path, spacing, wrong):
    volume = np.random.default_rng(0).normal(0, 100, (20, 20, 20)).astype(np.int16)
    for part, array in (("images", volume), ("labels", (volume > 0).astype(np.uint8))):
        save_nifti(tmp_path / part / "a.nii.gz", array, np.diag([spacing, spacing, spacing, 1]))
    assert (("wrong_unit", "images/a.nii.gz") in codes(tmp_path)) == wrong


def test_a_pixel_size_of_no_microscope(tmp_path):
    for name, unit in (("a", "um"), ("b", "mm"), ("c", "cm")):
        geometry = Geometry("YX", (0.05, 0.05), unit)
        write_image(tmp_path / f"images/{name}.tif", SAMPLES[0].image, geometry)
        write_labels(tmp_path / f"labels/{name}.tif", SAMPLES[0].labels, geometry)
    assert [file for code, file in codes(tmp_path) if code == "wrong_unit"] == ["images/c.tif"]
