import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from bundle_runs import missing_properties, run_bundle
from csv_rows import csv_rows
from monai.bundle import ConfigParser

from data_tools.convert.coco import coco_annotations
from medseg.io import Geometry, read_image, read_labels, write_image

ROOT = Path(__file__).parents[2]
SMALL = ["--set", "patch_size=64", "--set", "train::batch_size=2", "--no-check"]


@pytest.fixture(scope="module")
def images(flat_nuclei, tmp_path_factory) -> Path:
    """A gray image, a colour image of 8 bits, a stack, and an image smaller than the network's stride."""
    folder = tmp_path_factory.mktemp("images")
    gray, other = (read_image(flat_nuclei / "images" / f"n{k}.tif")[0] for k in (1, 2))
    write_image(folder / "gray.tif", gray, Geometry("YX", (0.5, 0.5), "um"))
    write_image(folder / "colour.png", 255 - np.stack([gray, gray // 2, gray], axis=-1), Geometry("YXC", None, None))
    write_image(folder / "stack.tif", np.stack([gray, other]).astype(np.uint16) * 16, Geometry("ZYX", (2, 1, 1), "um"))
    write_image(folder / "tiny.png", gray[:5, :7])
    return folder


def test_predict_writes_labels_scores_and_coco(medseg, narrow_nuclei_detector, images, tmp_path):
    done = medseg("predict", narrow_nuclei_detector, images / "gray.tif", images / "tiny.png", "-o", tmp_path, "--coco")
    assert done.code == 0, done.err
    labels, geometry = read_labels(tmp_path / "gray_labels.tif")
    ids = np.unique(labels[labels > 0])
    assert len(ids) > 1
    assert geometry.spacing == (0.5, 0.5)
    rows = csv_rows(tmp_path / "gray_objects.csv")
    assert [int(row["label"]) for row in rows] == ids.tolist()
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    content = json.loads((tmp_path / "gray_coco.json").read_text())
    assert [a["score"] for a in content["annotations"]] == pytest.approx(scores, abs=1e-5)
    shutil.copy(images / "gray.tif", tmp_path)
    (source,) = coco_annotations(tmp_path / "gray_coco.json", tmp_path)
    assert ((source.read().labels > 0) >= (labels > 0)).all()  # masks keep what others cover in the label image


def test_tta_averages_what_the_views_find(medseg, narrow_nuclei_detector, images, tmp_path):
    inputs = (images / "gray.tif", images / "stack.tif", "--set", "score_threshold=0.1")
    for flags in ((), ("--tta",)):
        out = tmp_path / f"out{len(flags)}"
        done = medseg("predict", narrow_nuclei_detector, *inputs, "-o", out, *flags)
        assert done.code == 0, done.err
    for stem in ("gray", "stack"):
        plain, averaged = (csv_rows(tmp_path / f / f"{stem}_objects.csv") for f in ("out0", "out1"))
        assert averaged
        assert min(float(row["score"]) for row in averaged) >= 0.1  # of the mean
        assert [row["score"] for row in averaged] != [row["score"] for row in plain]


def test_monai_bundle_run_gives_the_labels_of_medseg_predict(medseg, narrow_nuclei_detector, images, tmp_path):
    bundle = narrow_nuclei_detector
    run_bundle(bundle, ["inference"], "--dataset_dir", images, "--output_dir", tmp_path / "monai")
    assert medseg("predict", bundle, images, "-o", tmp_path / "medseg", "--overlay").code == 0
    for stem in ("gray", "colour", "stack", "tiny"):
        for name in (f"{stem}_labels.tif", f"{stem}_objects.csv"):
            assert (tmp_path / "monai" / name).read_bytes() == (tmp_path / "medseg" / name).read_bytes()
    labels, _ = read_labels(tmp_path / "monai" / "stack_labels.tif")
    first, second = (set(np.unique(section)) - {0} for section in labels)
    assert first
    assert min(second) == max(first) + 1


def test_what_it_cannot_write_is_said(medseg, narrow_nuclei_detector, tiny_bundle, images, tmp_path):
    done = medseg("predict", narrow_nuclei_detector, images / "gray.tif", "-o", tmp_path, "--probabilities")
    assert (done.code, "--probabilities" in done.err) == (2, True)
    done = medseg("predict", tiny_bundle, images / "gray.tif", "-o", tmp_path, "--coco")
    assert (done.code, "--coco" in done.err) == (2, True)
    done = medseg("predict", narrow_nuclei_detector, images / "stack.tif", "-o", tmp_path, "--coco")
    assert (done.code, "COCO holds 2D images" in done.err) == (1, True)


def test_trains_and_goes_on(medseg, narrow_nuclei_detector, flat_nuclei, tmp_path):
    train = ["train", narrow_nuclei_detector, "--data", flat_nuclei, "-o", tmp_path / "run", *SMALL]
    done = medseg(*train, "--epochs", "2", "--set", "val_interval=2")
    assert done.code == 0, done.err
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert [h["epoch"] for h in history] == [1, 2]
    assert all(np.isfinite(h["loss"]) for h in history)
    assert 0 <= history[1]["ap50"] <= 1
    weights = tmp_path / "run" / "model.pt"
    image = flat_nuclei / "images" / "n1.tif"
    assert medseg("predict", narrow_nuclei_detector, image, "-o", tmp_path, "--weights", weights).code == 0


def test_boxes_alone(medseg, narrow_nuclei_detector, flat_nuclei, tmp_path):
    run, boxes = tmp_path / "run", ("--set", "mask_head=null")
    done = medseg(
        *("train", narrow_nuclei_detector, "--data", flat_nuclei, "-o", run, *SMALL, "--from-scratch"),
        *("--epochs", 1, "--set", "val_interval=1", *boxes),
    )
    assert done.code == 0, done.err
    image, weights = flat_nuclei / "images" / "n1.tif", run / "model.pt"
    settings = (*boxes, "--set", "score_threshold=0.0")
    done = medseg("predict", narrow_nuclei_detector, image, "-o", tmp_path, "--weights", weights, "--coco", *settings)
    assert done.code == 0, done.err
    annotations = json.loads((tmp_path / "n1_coco.json").read_text())["annotations"]
    assert annotations
    assert all(a["area"] == a["bbox"][2] * a["bbox"][3] for a in annotations)


@pytest.mark.slow
def test_evaluate_scores_the_validation_images(narrow_nuclei_detector, flat_nuclei, tmp_path):
    settings = ["--dataset_dir", flat_nuclei, "--output_dir", tmp_path]
    run_bundle(narrow_nuclei_detector, ["train", "evaluate"], *settings)
    content = (tmp_path / "metrics.csv").read_text()
    assert all(metric in content for metric in ("ap50", "ap50_95", "iou", "panoptic_quality"))


@pytest.mark.parametrize("name", ["inference", "train"])
def test_no_property_is_missing(narrow_nuclei_detector, flat_nuclei, tmp_path, name):
    assert not missing_properties(narrow_nuclei_detector, name, flat_nuclei, tmp_path)


@pytest.mark.parametrize("purpose", ["train", "inference"])
def test_coco_configs_enlarge_crops_and_tiles_alike_and_paste_as_torchvision(purpose):
    parser = ConfigParser()
    folder = ROOT / "bundles" / "nuclei_mask_rcnn" / "configs"
    parser.read_config([folder / f"{purpose}.json", folder / "coco_train.json"])
    parser["save_coco"] = True
    with torch.device("meta"):
        network = parser.get_parsed_content("network_def")
        painter = parser.get_parsed_content("validate::postprocessing" if purpose == "train" else "postprocessing")
    crop, tile = torch.zeros(3, 96, 96), torch.zeros(3, 256, 300)
    resized, _ = network.preprocess([crop, tile])
    assert [tuple(image.shape[1:]) for image in resized] == [(192, 192), (512, 600)]
    assert network.settings.score_threshold == parser["score_threshold"]
    pasting = [t.aligned for t in getattr(painter, "transforms", [painter]) if hasattr(t, "aligned")]
    assert pasting == ([False] if purpose == "train" else [False, False])


def test_weights_of_another_network_are_refused(medseg, narrow_nuclei_detector, tiny_bundle, flat_nuclei, tmp_path):
    other = tiny_bundle / "models" / "model.pt"
    done = medseg(
        "train", narrow_nuclei_detector, "--data", flat_nuclei, "-o", tmp_path / "run", *SMALL, "--init-weights", other
    )
    assert done.code == 2
    assert "another network" in done.err


def test_export_says_why_not(medseg, narrow_nuclei_detector, tmp_path):
    done = medseg("export", narrow_nuclei_detector, "-o", tmp_path / "net.onnx")
    assert (done.code, "depends on the image" in done.err) == (2, True), done.err
