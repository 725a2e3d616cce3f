"""The configs of the head and neck bundles agree with each other and with their metadata."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose, CopyItemsd, EnsureChannelFirstd, LoadImaged

from medseg.workflow.load import root_cause

ROOT = Path(__file__).parents[2]
NAMES = ("headneck_ct_unet3d", "headneck_ct_unet_transfer", "headneck_ct_deeplabv3plus")


@pytest.mark.parametrize("name", NAMES)
def test_the_sides_that_are_exchanged_are_right_and_left(name):
    configs = ROOT / "bundles" / name / "configs"
    metadata, inference, train = (
        json.loads((configs / f"{s}.json").read_text(encoding="utf-8")) for s in ("metadata", "inference", "train")
    )
    names = {n: int(k) for k, n in metadata["network_data_format"]["outputs"]["pred"]["channel_def"].items()}
    expected = [[k, names[n.replace("Right", "Left")]] for n, k in names.items() if n.startswith("Right")]
    (flip,) = (t for t in train["train"]["random_transforms"] if t["_target_"].endswith("RandFlipSidesd"))
    assert inference["side_pairs"] == train["side_pairs"] == expected == [[3, 4]]
    assert flip["pairs"] == "@side_pairs"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 3, 8])
def test_ratios_and_weights_have_the_number_of_the_classes(name, classes):
    parser = ConfigParser()
    parser.read_config(ROOT / "bundles" / name / "configs" / "train.json")
    parser["network_def::out_channels"], parser["device"] = classes, "cpu"
    assert len(parser.get_parsed_content("class_ratios")) == classes
    loss = parser.get_parsed_content("loss")
    assert torch.isfinite(loss(torch.zeros(2, classes, 4, 4), torch.ones(2, 1, 4, 4)))
    assert name != "headneck_ct_unet3d" or parser.get_parsed_content("class_weights")[:2] == [0.3, 1.0]


@pytest.mark.parametrize("name", NAMES)
def test_training_sees_volumes_as_prediction_does(name):
    """From the orientation to the voxel size: a fine CT resampled without smoothing is another kind of image."""
    configs = ROOT / "bundles" / name / "configs"
    train, inference = (json.loads((configs / f"{s}.json").read_text(encoding="utf-8")) for s in ("train", "inference"))
    names = [[t["_target_"].rpartition(".")[2] for t in steps]
             for steps in (train["load_volumes"], inference["preprocessing"]["transforms"])]  # fmt: skip
    trained, predicted = (steps[steps.index("Orientationd") : steps.index("Spacingd") + 1] for steps in names)
    assert trained == predicted


@pytest.mark.parametrize("name", NAMES)
def test_a_volume_in_which_no_patient_fits_is_named_before_it_is_resampled(name, tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((32, 32, 32), np.int16), np.diag([40, 40, 40, 1])), tmp_path / "tenths.nii.gz")
    configs = ROOT / "bundles" / name / "configs"
    for config, steps in (("inference", "preprocessing"), ("train", "load_volumes")):
        parser = ConfigParser()
        parser.read_config(configs / f"{config}.json")
        with pytest.raises(RuntimeError) as caught:
            Compose(parser.get_parsed_content(steps))(
                dict.fromkeys(("image", "label"), str(tmp_path / "tenths.nii.gz"))
            )
        assert "tenths.nii.gz: 1280 x 1280 x 1280 mm large, voxels of 40 x 40 x 40 mm" in root_cause(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_several_gpus_share_the_crops_of_an_epoch(name, monkeypatch):
    configs = ROOT / "bundles" / name / "configs"
    parser = ConfigParser()
    parser.read_config([str(configs / f"{part}.json") for part in ("train", "multi_gpu_train")])
    parser["train::dataset"], parser["crops_per_epoch"] = list(range(14)), 101
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    sampler = parser.get_parsed_content("train::dataloader::sampler")
    assert len(list(sampler)) == len(sampler) == 51
    assert set(sampler) == set(range(14))


@pytest.mark.parametrize("name", NAMES)
def test_labels_stored_the_other_way_round_are_refused(name, tmp_path):
    """MONAI would score and train on mirrored labels: it compares voxel by voxel."""
    for reason in _refusals(name, tmp_path, label_signs=[3, 3, 3, 1], highest=1):
        assert "it is stored as RAS, not as LPS" in reason


@pytest.mark.parametrize("name", NAMES)
def test_labels_beyond_the_classes_are_refused_before_training(name, tmp_path):
    for reason in _refusals(name, tmp_path, label_signs=[-3, -3, 3, 1], highest=9):
        assert "label.nii.gz hold 9, but the 8 classes are 0 (background) to 7" in reason


def _refusals(name: str, folder: Path, label_signs: list[int], highest: int) -> list[str]:
    """What loading for training, and for `evaluate.json`, say of a label volume."""
    for part, signs, value in (("image", [-3, -3, 3, 1], 1), ("label", label_signs, highest)):
        volume = nib.Nifti1Image(value * np.eye(8, dtype=np.uint8)[..., None].repeat(8, axis=2), np.diag(signs))
        nib.save(volume, folder / f"{part}.nii.gz")
    item = {part: str(folder / f"{part}.nii.gz") for part in ("image", "label")}
    parser = ConfigParser()
    configs = ROOT / "bundles" / name / "configs"
    parser.read_config(configs / "train.json")
    with pytest.raises(RuntimeError) as trained:
        Compose(parser.get_parsed_content("load_volumes"))(dict(item))
    parser.read_config([configs / "inference.json", configs / "evaluate.json"])
    load = LoadImaged("image", reader="medseg.io.volume_reader.VolumeReader")
    item = Compose([load, EnsureChannelFirstd("image"), CopyItemsd("image", names="raw")])(item)
    with pytest.raises(RuntimeError) as evaluated:
        parser.get_parsed_content("load_label")(item)
    return [str(refused.value.__cause__) for refused in (trained, evaluated)]
