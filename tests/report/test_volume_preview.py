import imagecodecs
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.io import Space
from medseg.report.volume_preview import SaveVolumePreviewd, along_patient_axes, body_box, busiest_plane, draw_preview

RAS = Space.scanner(np.diag([1.0, 1, 2, 1]))


def test_turned_to_the_patients_axes():
    labels = np.zeros((4, 5, 6), int)
    labels[1, 2, 3] = 1
    affine = np.array([[0, 0, -2.0, 0], [3, 0, 0, 0], [0, -5, 0, 0], [0, 0, 0, 1]])  # axes A, I, L
    (turned,), spacing = along_patient_axes([labels], Space.scanner(affine))
    assert turned.shape == (6, 4, 5)
    assert np.argwhere(turned).tolist() == [[6 - 1 - 3, 1, 5 - 1 - 2]]
    assert spacing.tolist() == [2, 3, 5]


def test_the_plane_with_the_most_structures_then_voxels():
    labels = np.zeros((4, 5, 6), int)
    assert busiest_plane(labels, 2) == 3
    labels[:, :, 1] = 1
    labels[0, :2, 4] = (1, 2)
    assert busiest_plane(labels, 2) == 4
    assert busiest_plane(labels, 0) == 0


def test_body():
    image = np.full((5, 6, 7), -1000.0)
    assert body_box(image).tolist() == [[0, 5], [0, 6], [0, 7]]
    image[1:3, 2, 3:7] = 0
    assert body_box(image).tolist() == [[1, 3], [2, 3], [3, 7]]


@pytest.mark.parametrize("shape", [(20, 24, 16), (20, 24, 1)])
def test_pictures_with_and_without_structures(tmp_path, shape):
    image = np.full(shape, 40.0, np.float32)
    labels = np.zeros(shape, np.uint8)
    draw_preview(tmp_path / "empty.png", image, labels, RAS, {1: "cord"})
    labels[5:9, 5:12] = 1
    draw_preview(tmp_path / "cord.png", image, labels, RAS, {1: "cord"})
    empty, cord = (imagecodecs.png_decode((tmp_path / f"{n}.png").read_bytes()) for n in ("empty", "cord"))
    assert np.ptp(cord[..., :3].astype(int), axis=-1).max() > 100  # coloured outlines
    assert np.ptp(empty[..., :3].astype(int), axis=-1).max() < 20


def test_the_patients_right_is_on_the_left_the_front_to_the_right_and_the_head_up(tmp_path):
    image, labels = np.full((20, 20, 20), 100.0, np.float32), np.zeros((20, 20, 20), np.uint8)
    image[12:18, 12:18, 12:18] = -200  # right, anterior, superior: black in the gray of the rest
    labels[15, 15, 15] = 1
    draw_preview(tmp_path / "a.png", image, labels, Space.scanner(np.eye(4)), {1: "cord"})
    picture = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())[..., :3].mean(axis=-1)
    gray = np.abs(picture - 127) < 10
    rows, columns = (np.flatnonzero(gray.sum(axis=axis) > 50) for axis in (1, 0))
    found = []
    for panel in np.split(columns, np.flatnonzero(np.diff(columns) > 3) + 1):
        y, x = np.nonzero(picture[rows[0] : rows[-1], panel[0] : panel[-1]] < 60)
        found.append((y.mean() < np.ptp(rows) / 2, x.mean() > np.ptp(panel) / 2))
    assert found == [(True, True), (True, False), (True, False)]  # sagittal, coronal, axial


def test_marks_and_outlines_say_where_things_are(tmp_path, figures):
    labels = np.zeros((20, 16, 10), np.uint8)
    labels[10:15, 8:12, 5:7] = 1
    affine = Space.scanner(np.diag([1.0, 2, 3, 1]))
    draw_preview(tmp_path / "a.png", np.full(labels.shape, 40.0, np.float32), labels, affine, {1: "cord"}, title="pt")
    planes = figures[0].axes
    assert [(p.get_xlabel(), p.get_ylabel()) for p in planes] == [("P – A", "S"), ("R – L", "S"), ("R – L", "A")]
    assert [p.get_title() for p in planes] == ["sagittal 11/20", "coronal 9/16", "axial 6/10"]
    assert [p.get_xlim() for p in planes] == [(0, 32), (20, 0), (20, 0)]
    assert [p.get_ylim() for p in planes] == [(0, 30), (0, 30), (0, 32)]
    outlines = [np.concatenate([path.vertices for path in p.collections[0].get_paths()]) for p in planes]
    x, y, z = (10, 15), (16, 24), (15, 21)  # mm
    for outline, (across, up) in zip(outlines, ((y, z), (x, z), (x, y)), strict=True):
        np.testing.assert_allclose([outline.min(0), outline.max(0)], np.transpose([across, up]))


@pytest.mark.parametrize("stem", ["pt", "ok$1$_$\\frac$", "caf\udce9"])
def test_saved_under_the_inputs_name(tmp_path, stem):
    meta = RAS.to_meta() | {"filename_or_obj": f"in/{stem}.nii.gz"}
    item = {"pred": MetaTensor(torch.zeros(1, 6, 6, 6, dtype=torch.uint8), meta=meta), "raw": torch.zeros(1, 6, 6, 6)}
    SaveVolumePreviewd("pred", tmp_path, {"0": "background", "1": "cord"})(item)
    assert [p.name for p in tmp_path.iterdir()] == [f"{stem}_preview.png"]
