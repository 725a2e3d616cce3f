import nibabel
import numpy as np
import pytest

from data_tools.synth.dataset import write_synthetic

AFFINE = np.diag([4.0, 4.0, 2.0, 1.0])


@pytest.fixture
def volume():
    """A patient of 40 HU in air with one organ of 1000 HU, in front of and above the centre."""
    ct, labels = np.full((30, 32, 36), -1000.0), np.zeros((30, 32, 36), np.uint8)
    ct[5:25, 8:28, :] = 40
    labels[12:18, 20:26, 15:30] = 1
    ct[labels > 0] = 1000
    return ct, labels, AFFINE


def place_mm(labels, affine):
    return affine[:3, :3] @ np.argwhere(labels).mean(0) + affine[:3, 3]


def test_labels_stay_on_their_organ(benchmark_path, volume):
    from headneck_robustness import CHANGES

    for name, change in CHANGES.items():
        before = [part.copy() for part in volume]
        ct, labels, affine = change(volume)
        assert ct.shape == labels.shape, name
        bright, organ = ct > 480, labels > 0
        assert 2 * (bright & organ).sum() / (bright.sum() + organ.sum()) > 0.8, name
        for part, old in zip(volume, before, strict=True):
            np.testing.assert_array_equal(part, old, err_msg=name)
        if name.startswith(("sections", "on a couch", "noise", "blur")):
            assert np.abs(place_mm(labels, affine) - place_mm(volume[1], AFFINE)).max() < 0.5, name


def test_patients_turn_and_grow_as_named(benchmark_path, volume):
    from headneck_robustness import CHANGES

    front, middle = place_mm(volume[1], AFFINE), AFFINE[:3, :3] @ ((np.array(volume[1].shape) - 1) / 2)
    _, y, z = front - middle
    up, down = (place_mm(*CHANGES[f"chin {way} by 15 degrees"](volume)[1:]) - middle for way in ("up", "down"))
    cos, sin = np.cos(np.deg2rad(15)), np.sin(np.deg2rad(15))
    assert up[1:] == pytest.approx([cos * y - sin * z, cos * z + sin * y], abs=1)
    assert down[1:] == pytest.approx([cos * y + sin * z, cos * z - sin * y], abs=1)
    assert place_mm(*CHANGES["1.25 times the size"](volume)[1:]) == pytest.approx(1.25 * front)


def test_files_of_any_orientation_are_turned_first(benchmark_path, volume, tmp_path):
    from headneck_robustness import CHANGES, write_changed

    ct, labels, affine = volume
    turned = affine @ np.diag([-1, -1, -1, 1])
    for name, array in (("ct.nii.gz", ct[::-1, ::-1, ::-1]), ("labels.nii.gz", labels[::-1, ::-1, ::-1])):
        nibabel.save(nibabel.Nifti1Image(array.astype(np.int16), turned), tmp_path / name)
    item = {"image": str(tmp_path / "ct.nii.gz"), "label": str(tmp_path / "labels.nii.gz")}
    (tmp_path / "out").mkdir()
    written = write_changed(CHANGES["on a couch"], item, tmp_path / "out")
    image, label = nibabel.load(written["image"]), nibabel.load(written["label"])
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    expected = CHANGES["on a couch"](volume)
    np.testing.assert_array_equal(image.get_fdata(), expected[0])
    np.testing.assert_array_equal(label.get_fdata(), expected[1])


@pytest.mark.slow
def test_table_of_a_shipped_bundle(benchmark, tmp_path, capsys):
    write_synthetic("ct", tmp_path / "data", count=2, shape=(48, 40, 24))
    bundle, changes = "headneck_ct_unet3d", ("none", "upper half")
    benchmark("headneck_robustness", tmp_path / "data", "--bundles", bundle, "--changes", *changes).main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| bundle | change | Brainstem |")
    assert lines[0].endswith("| Mandible | mean |")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert [row[:2] for row in rows] == [[bundle, name] for name in changes]
    assert all(0 <= float(cell) <= 1 for row in rows for cell in row[2:] if cell != "nan")
