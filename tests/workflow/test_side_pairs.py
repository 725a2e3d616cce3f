"""Left and right of a bundle are not exchanged among somebody else's labels."""

import json

import pytest
import torch
from monai.bundle import ConfigParser

from medseg.catalog import find_bundle
from medseg.errors import InputError
from medseg.workflow.predict import Predictor
from medseg.workflow.side_pairs import refuse_pairs_of_other_labels

BUNDLE = find_bundle("headneck_ct_unet_transfer")
OWN = BUNDLE.metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
ABDOMEN = {"0": "air", "1": "liver", "2": "spleen", "3": "stomach", "4": "aorta"} | {str(k): f"x{k}" for k in (5, 6, 7)}


def check(config: str = "train", classes: dict | None = None, **overrides) -> None:
    parser = ConfigParser()
    parser.read_config(BUNDLE.config(config))
    parser.update(overrides)
    refuse_pairs_of_other_labels(BUNDLE, parser, overrides, classes)


@pytest.mark.parametrize("config", ["train", "inference"])
def test_another_number_of_classes_needs_its_pairs(config):
    with pytest.raises(
        InputError, match=r'side_pairs \[\[3, 4\]\].*there are 6 classes, not 8: say --set "side_pairs=\[\]"'
    ):
        check(config, **{"network_def::out_channels": 6})
    check(config, **{"network_def::out_channels": 6, "side_pairs": []})
    check(config)


def test_classes_of_other_names_need_their_pairs():
    with pytest.raises(InputError, match="3 is stomach, 4 is aorta: say"):
        check(classes=ABDOMEN)
    with pytest.raises(InputError, match="3 is no class, 4 is no class"):
        check(classes={"0": "background", "1": "liver", "2": "spleen"})
    check(classes=ABDOMEN, side_pairs=[[6, 7]])
    check(classes=OWN)
    check(classes=OWN | {"0": "nothing"})


def test_nothing_is_exchanged_without_mirror_images():
    check("inference", **{"network_def::out_channels": 6, "tta": False})


def test_bundles_without_sides_take_any_classes():
    bundle = find_bundle("em_membrane_unet")
    parser = ConfigParser()
    parser.read_config(bundle.config("train"))
    refuse_pairs_of_other_labels(bundle, parser, {}, ABDOMEN)


def test_training_on_other_organs_is_refused(medseg, tmp_path):
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for name in ("a.nii.gz", "b.nii.gz"):
            (tmp_path / part / name).touch()
    items = [{"image": f"images/{n}.nii.gz", "label": f"labels/{n}.nii.gz"} for n in "ab"]
    content = {"classes": ABDOMEN, "training": items[:1], "validation": items[1:]}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    command = ("train", BUNDLE.name, "--data", tmp_path, "-o", tmp_path / "run", "--device", "cpu", "--no-check")
    done = medseg(*command)
    assert done.code == 2
    assert "3 is stomach, 4 is aorta" in done.err
    assert not (tmp_path / "run").exists()


def test_prediction_of_another_number_of_classes_is_refused(tmp_path):
    parser = ConfigParser()
    parser.read_config(BUNDLE.config("inference"))
    parser["network_def::out_channels"] = 6
    torch.save(parser.get_parsed_content("network_def").state_dict(), tmp_path / "model.pt")
    settings = {"network_def::out_channels": 6, "weights": str(tmp_path / "model.pt"), "device": "cpu"}
    with pytest.raises(InputError, match="there are 6 classes"):
        Predictor(BUNDLE, tmp_path, settings)
    Predictor(BUNDLE, tmp_path, settings | {"side_pairs": []})
