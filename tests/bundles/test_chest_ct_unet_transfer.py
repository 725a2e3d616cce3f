"""The recipe for chest CT slices, from the archive's layout to a prediction, on a synthetic archive."""

import json
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from medseg.io import read_labels

ROOT = Path(__file__).parents[2]
SIDE = 64
PATIENTS = ("ID1", "ID2", "ID3")
DISCS = ((32, 18, 11), (36, 42, 9), (14, 32, 4))  # y, x, radius of lung, heart, trachea
SETTINGS = (
    "image_size=[32,32]",
    "network_def::decoder_channels=[8,8,8,8,8]",
    "train::batch_size=2",
    "val_interval=1",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Three patients of two slices: gray discs for the organs, saved as JPEG as the data set is."""
    root = tmp_path_factory.mktemp("kaggle")
    (root / "images" / "images").mkdir(parents=True)
    (root / "masks" / "masks").mkdir(parents=True)
    y, x = np.mgrid[:SIDE, :SIDE]
    rows = ["ImageId,MaskId"]
    for number, patient in enumerate(PATIENTS):
        for k in range(2):
            shift = 2 * number + k
            discs = [
                ((y - cy) ** 2 + (x - cx - shift) ** 2) < r**2 for cy, cx, r in ((32, 18, 11), (36, 42, 9), (14, 32, 4))
            ]
            gray = np.select(discs, (40, 180, 5), 120).astype(np.uint8)
            mask = np.stack([255 * d for d in discs], axis=-1).astype(np.uint8)
            image, label = f"{patient}_{k}.jpg", f"{patient}_mask_{k}.jpg"
            (root / "images" / "images" / image).write_bytes(imagecodecs.jpeg8_encode(gray, level=75))
            (root / "masks" / "masks" / label).write_bytes(imagecodecs.jpeg8_encode(mask, level=75))
            rows.append(f"{image},{label}")
    (root / "train.csv").write_text("\n".join([*rows, "gone.jpg,gone_mask.jpg"]) + "\n")
    return root


def test_from_archive_to_prediction(medseg, archive, tmp_path):
    folder = tmp_path / "chest"
    assert medseg("data", "convert", "chest_ct_slices", archive, folder).code == 0
    labels, _ = read_labels(folder / "labels" / "ID1_0.tif")
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    cy, cx, radius = DISCS[0]
    y, x = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(y - cy, x - cx)
    assert (labels[distance < radius - 3] == 1).mean() > 0.9  # and here and there a ripple inside
    assert (labels[distance > radius] != 1).all()  # JPEG's blurred rim is left out
    assert medseg("data", "split", folder, "--overwrite").code == 0
    split = json.loads((folder / "dataset.json").read_text())
    groups = [{entry["group"] for entry in split[part]} for part in ("training", "validation")]
    assert groups[0] | groups[1] == set(PATIENTS)
    assert not groups[0] & groups[1]
    wanted = [part for setting in SETTINGS for part in ("--set", setting)]
    run = ("-o", tmp_path / "run", "--device", "cpu", "--no-check", "--epochs", 1)
    done = medseg("train", "chest_ct_unet_transfer", "--data", folder, *run, *wanted)
    assert done.code == 0, done.err
    picture = folder / "images" / "ID1_0.tif"
    weights = ("--weights", tmp_path / "run" / "model.pt", *wanted[:4])
    done = medseg("predict", "chest_ct_unet_transfer", picture, "-o", tmp_path / "out", "--device", "cpu", *weights)
    assert done.code == 0, done.err
    found, _ = read_labels(tmp_path / "out" / "ID1_0_labels.tif")
    assert found.shape == (SIDE, SIDE)
    assert found.max() <= 3


def test_labels_stay_on_their_images_when_resized():
    parser = ConfigParser()
    parser.read_config(ROOT / "bundles" / "chest_ct_unet_transfer" / "configs" / "train.json")
    parser["image_size"] = [16, 16]
    ramp = torch.arange(48.0).expand(1, 48, 48)
    resized = parser.get_parsed_content("load_slices::4")({"image": ramp, "label": ramp})
    torch.testing.assert_close(resized["label"], resized["image"])


@pytest.mark.slow
def test_two_processes_train_with_the_encoder_frozen_at_first(medseg, archive, tmp_path):
    assert medseg("data", "convert", "chest_ct_slices", archive, tmp_path / "chest").code == 0
    assert medseg("data", "split", tmp_path / "chest", "--overwrite").code == 0
    root = ROOT / "bundles" / "chest_ct_unet_transfer"
    configs = [str(root / "configs" / f"{name}.json") for name in ("train", "multi_gpu_train")]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m"]
    command += ["monai.bundle", "run", "--config_file", configs, "--bundle_root", root]
    command += ["--dataset_dir", tmp_path / "chest", "--output_dir", tmp_path / "run"]
    command += ["--epochs", 2, "--freeze_epochs", 1]
    for setting in SETTINGS:
        command += ["--" + setting.partition("=")[0], setting.partition("=")[2]]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(json.loads((tmp_path / "run" / "history.json").read_text())) == 2
