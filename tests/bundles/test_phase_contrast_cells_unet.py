import json
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigWorkflow

from medseg.io import read_image, read_labels, training_items, write_image

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "bundles" / "phase_contrast_cells_unet"


@pytest.fixture(scope="module")
def bundle(tiny_phase_contrast_bundle) -> Path:
    return tiny_phase_contrast_bundle


@pytest.fixture(scope="module")
def folder(cells_folder) -> Path:
    return cells_folder


def test_predict_gives_labels_at_the_size_of_the_file(medseg, bundle, folder, tmp_path):
    done = medseg("predict", bundle, folder / "images", "-o", tmp_path, "--probabilities", "--set", "min_size=5")
    assert (done.code, done.err) == (0, "")
    labels, _ = read_labels(tmp_path / "f0_labels.tif")
    probability, _ = read_image(tmp_path / "f0_probability.tif")
    assert labels.shape == probability.shape == (150, 190)
    assert labels.max() > 0
    assert np.all(probability[labels > 0] > 0.5)
    assert 0 <= probability.min() < probability.max() <= 1


def test_tta_does_not_care_how_the_camera_was_turned(medseg, bundle, folder, tmp_path):
    image, _ = read_image(folder / "images" / "f0.png")
    write_image(tmp_path / "in" / "turned.png", np.ascontiguousarray(np.rot90(image)))
    write_image(tmp_path / "in" / "upright.png", image)
    results = {}
    for flags in ((), ("--tta",)):
        out = tmp_path / ("tta" if flags else "plain")
        done = medseg("predict", bundle, tmp_path / "in", "-o", out, "--probabilities", *flags)
        assert (done.code, done.err) == (0, "")
        upright, turned = (read_image(out / f"{name}_probability.tif")[0] for name in ("upright", "turned"))
        results[flags] = np.abs(np.rot90(upright) - turned).max()
    assert results[("--tta",)] < 1e-4
    assert results[()] > 0.01


def test_training_makes_weights_that_predict(medseg, bundle, folder, tmp_path):
    done = medseg(
        "train", bundle, "--data", folder, "-o", tmp_path / "run", "--epochs", "1", "--no-check", "--device", "cpu",
        "--set", "val_interval=1", "--set", "patch_size=284",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    (record,) = json.loads((tmp_path / "run" / "history.json").read_text())
    assert np.isfinite(record["loss"])
    assert {"ap50", "iou"} <= set(record)
    weights = ("--weights", tmp_path / "run" / "model.pt")
    assert medseg("predict", bundle, folder / "images" / "f1.png", "-o", tmp_path / "out", *weights).code == 0


def test_evaluate_scores_with_and_without_tta(bundle, folder, tmp_path):
    for tta in (False, True):
        workflow = ConfigWorkflow(
            config_file=[str(bundle / "configs" / f"{name}.json") for name in ("train", "evaluate")],
            meta_file=str(bundle / "configs" / "metadata.json"),
            logging_file=False,
            workflow_type="train",
            bundle_root=str(bundle),
            dataset_dir=str(folder),
            output_dir=str(tmp_path / str(tta)),
            tta=tta,
            device="cpu",
        )
        workflow.initialize()
        workflow.run()
        scores = workflow.parser.get_parsed_content("validate::evaluator").state.metrics
        assert {"ap50", "ap50_95", "iou", "panoptic_quality"} <= set(scores)
        assert workflow.parser.get_parsed_content("validate::inferer").enabled == tta
        assert (tmp_path / str(tta) / "metrics.csv").is_file()


def test_the_split_is_by_field_and_names_what_the_data_set_has(data_dir):
    split = SHIPPED / "docs" / "split.json"
    parts = [
        {Path(item["image"]).stem for item in training_items(data_dir / "phc_nih3t3_usiigaci", part, split_file=split)}
        for part in ("training", "validation")
    ]
    assert not parts[0] & parts[1]
    assert (len(parts[0]), len(parts[1])) == (18, 5)
    for pair in ({"set04", "set39"}, {"set23", "set40"}):  # the same cells
        assert not (pair & parts[0] and pair & parts[1])
