"""CT volumes of NIfTI pairs and of OpenKBP come with their geometry and their organs."""

import numpy as np
import pytest
from nifti_file import save_nifti

from data_tools.convert.nifti_pairs import nifti_pairs
from data_tools.convert.openkbp import ORGANS, openkbp_patients, read_patient
from medseg.errors import InputError


def write_nifti(path, array, shift=0.0):
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    affine[0, 3] = shift
    save_nifti(path, array, affine)


def test_nifti_pairs_and_affines(tmp_path):
    volume = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    write_nifti(tmp_path / "imagesTr/s_2.nii.gz", volume)
    write_nifti(tmp_path / "labelsTr/s_2.nii.gz", (volume > 9).astype(np.uint8))
    write_nifti(tmp_path / "imagesTr/s_10.nii.gz", volume)
    write_nifti(tmp_path / "labelsTr/s_10.nii.gz", (volume > 9).astype(np.uint8), shift=1.0)
    sources = nifti_pairs(tmp_path)
    assert [s.name for s in sources] == ["s_2", "s_10"]
    np.testing.assert_array_equal(np.diag(sources[0].read().affine), [-2, -2, 3, 1])
    with pytest.raises(InputError, match="lies 1 mm beside"):
        sources[1].read()


def test_pairs_by_their_endings(tmp_path):
    volume = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    for name, array in (("a_ct", volume), ("a_labels", volume % 3), ("b", volume + 1), ("b_seg", volume % 2)):
        write_nifti(tmp_path / f"{name}.nii.gz", array)
    samples = {s.name: s.read() for s in nifti_pairs(tmp_path)}
    assert sorted(samples) == ["a", "b"]
    np.testing.assert_array_equal(samples["a"].image, volume)
    np.testing.assert_array_equal(samples["b"].labels, volume % 2)


def test_names_of_nnunet(tmp_path):
    volume = np.ones((2, 3, 4), dtype=np.int16)
    for name in ("ct_7_0000", "mr_8_0000", "mr_8_0001", "ct_9_0000"):
        write_nifti(tmp_path / f"imagesTr/{name}.nii.gz", volume)
    for name in ("ct_7", "mr_8"):
        write_nifti(tmp_path / f"labelsTr/{name}.nii.gz", volume.astype(np.uint8))
    sources = {s.name: s for s in nifti_pairs(tmp_path)}
    assert list(sources) == ["ct_7", "ct_9_0000", "mr_8_0000", "mr_8_0001"]
    assert sources["ct_7"].read().labels.all()
    for name, message in (("mr_8_0000", "one of 2 channels of mr_8"), ("ct_9_0000", "has no labels, there is no")):
        with pytest.raises(InputError, match=rf"{name}\.nii\.gz: {message}"):
            sources[name].read()


def patient(folder, ct="5,1040.0\n", skip=()):
    folder.mkdir(parents=True)
    (folder / "ct.csv").write_text(",data\n" + ct)
    (folder / "voxel_dimensions.csv").write_text("3.9\n4.1\n2.5\n")
    for number, organ in enumerate(ORGANS):
        if organ not in skip:  # position of (y, x, z) = (number + 1, 2, 3)
            (folder / f"{organ}.csv").write_text(f",data\n{(number + 1) * 128 * 128 + 2 * 128 + 3},\n")
    return folder


def test_openkbp_axes_and_hounsfield_units(tmp_path):
    patient(tmp_path / "train-pats/pt_1", f"5,1040.0\n{(3 * 128 + 2) * 128 + 1},1100\n")  # (y, x, z) = (3, 2, 1)
    (source,) = openkbp_patients(tmp_path)
    sample = source.read()
    assert sample.image.dtype == np.int16
    assert (sample.image[0, 0, 5], sample.image[0, 0, 6], sample.image[2, 3, 1]) == (40, -1000, 100)
    for value in range(1, 8):
        assert np.argwhere(sample.labels == value).tolist() == [[2, value, 3]]
    np.testing.assert_allclose(np.diag(sample.affine), [-3.9, -4.1, -2.5, 1])
    np.testing.assert_allclose(sample.affine @ [63.5, 63.5, 63.5, 1], [0, 0, 0, 1], atol=1e-9)


def test_the_last_openkbp_organ_keeps_a_voxel_of_several(tmp_path):
    folder = patient(tmp_path / "pt_1")
    shared = (folder / f"{ORGANS[0]}.csv").read_text() + (folder / f"{ORGANS[4]}.csv").read_text().split("\n")[1]
    (folder / f"{ORGANS[4]}.csv").write_text(shared)
    sample = read_patient(folder)
    assert np.bincount(sample.labels.ravel())[1:].tolist() == [0, 1, 1, 1, 2, 1, 1]
    assert sample.notes == ("1 voxels lie in several organs; the last keeps them",)


@pytest.mark.parametrize(
    ("ct", "message"),
    [
        ("5,\n", "sparse CSV"),
        ("5,nan\n6,3\n", "values are missing"),
        ("9999999,3\n", "positions must"),
        ("1.5,3\n", "positions must"),
        ("5,90000\n", "damaged"),
    ],
)
def test_damaged_openkbp_files(tmp_path, ct, message):
    with pytest.raises(InputError, match=message):
        read_patient(patient(tmp_path / "pt_1", ct))


def test_openkbp_organs_that_were_not_contoured(tmp_path):
    with pytest.raises(InputError, match="Larynx not contoured"):
        read_patient(patient(tmp_path / "pt_1", skip=("Larynx",)))
