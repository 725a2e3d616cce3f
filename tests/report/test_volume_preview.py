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
    _, turned, spacing = along_patient_axes(labels, labels, Space.scanner(affine))
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


@pytest.mark.parametrize("stem", ["pt", "ok$1$_$\\frac$", "caf\udce9"])
def test_saved_under_the_inputs_name(tmp_path, stem):
    meta = RAS.to_meta() | {"filename_or_obj": f"in/{stem}.nii.gz"}
    item = {"pred": MetaTensor(torch.zeros(1, 6, 6, 6, dtype=torch.uint8), meta=meta), "raw": torch.zeros(1, 6, 6, 6)}
    SaveVolumePreviewd("pred", tmp_path, {"0": "background", "1": "cord"})(item)
    assert [p.name for p in tmp_path.iterdir()] == [f"{stem}_preview.png"]
