import json
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import torch
from bundle_runs import missing_properties, run_bundle
from monai.bundle import ConfigParser

from data_tools.synth.dataset import write_synthetic
from data_tools.synth.nuclei import nuclei
from medseg.catalog import find_bundle
from medseg.io import Geometry, read_image, read_labels, write_image

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "bundles" / "nuclei_unetplusplus" / "configs"
OF_THE_RESULT = ("core_threshold", "cell_threshold", "min_core", "min_size", "network", "checkpointloader")


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """The same nuclei as gray 8 and 16 bit, in colour and with transparency; a stack; sizes that do not pool."""
    folder = tmp_path_factory.mktemp("images")
    gray = nuclei((83, 101), seed=3).image
    colour = np.repeat(gray[..., None], 3, axis=2)
    write_image(folder / "gray.tif", gray, Geometry("YX", (0.5, 0.5), "um"))
    write_image(folder / "deep.tif", gray.astype(np.uint16) * 100, Geometry("YX", (0.5, 0.5), "um"))
    write_image(folder / "colour.png", colour, Geometry("YXC", None, None))
    (folder / "transparent.png").write_bytes(imagecodecs.png_encode(np.dstack([colour, np.full_like(gray, 255)])))
    write_image(folder / "stack.tif", np.stack([gray, gray[::-1]]), Geometry("ZYX", (1.0, 0.5, 0.5), "um"))
    write_image(folder / "pixel.png", np.array([[200]], np.uint8))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "nuclei"
    write_synthetic("nuclei", folder, count=4, shape=(64, 72))
    return folder


@pytest.fixture(scope="module")
def predicted(tiny_nuclei_bundle, images, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("predicted")
    command = [sys.executable, "-m", "medseg", "predict", tiny_nuclei_bundle, images, "-o", out, "--overlay"]
    done = subprocess.run(
        list(map(str, [*command, "--probabilities"])), capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


def test_gray_and_colour_of_any_depth_give_the_same_labels(predicted):
    labels, geometry = read_labels(predicted / "gray_labels.tif")
    assert labels.shape == (83, 101)
    assert labels.max() > 1
    assert (geometry.spacing, geometry.unit) == ((0.5, 0.5), "um")
    for stem in ("deep", "colour", "transparent"):
        np.testing.assert_array_equal(read_labels(predicted / f"{stem}_labels.tif")[0], labels, err_msg=stem)
    stack, geometry = read_labels(predicted / "stack_labels.tif")
    assert geometry.axes == "ZYX"
    np.testing.assert_array_equal(stack[0], labels)
    assert read_labels(predicted / "pixel_labels.tif")[0].shape == (1, 1)


def test_the_probability_is_that_of_the_foreground(predicted):
    probability, labels = (
        read_image(predicted / "gray_probability.tif")[0],
        read_labels(predicted / "gray_labels.tif")[0],
    )
    assert probability.shape == labels.shape
    assert probability[labels > 0].min() > 0.5


def test_monai_bundle_run_gives_the_labels_of_medseg_predict(tiny_nuclei_bundle, images, predicted, tmp_path):
    run_bundle(tiny_nuclei_bundle, ["inference"], "--dataset_dir", images, "--output_dir", tmp_path)
    for stem in ("gray", "colour", "stack"):
        for name in (f"{stem}_labels.tif", f"{stem}_objects.csv"):
            assert (tmp_path / name).read_bytes() == (predicted / name).read_bytes()


@pytest.mark.parametrize("level", [1, 3])
def test_a_level_is_the_pruned_network_with_the_trained_weights(tiny_nuclei_bundle, level):
    parser = ConfigParser()
    parser.read_config(tiny_nuclei_bundle / "configs" / "inference.json")
    parser["bundle_root"], parser["level"], parser["datalist"] = str(tiny_nuclei_bundle), level, [{"image": ""}]
    parser["device"] = "cpu"
    parser.get_parsed_content("initialize")
    network = parser.get_parsed_content("network").eval()
    stored = torch.load(tiny_nuclei_bundle / "models" / "model.pt", weights_only=True)
    state = network.state_dict()
    assert (network.depth, len(state) < len(stored)) == (level, True)
    assert all(torch.equal(value, stored[name]) for name, value in state.items())


def test_predict_prunes_and_says_what_levels_there_are(medseg, tiny_nuclei_bundle, images, predicted, tmp_path):
    image = images / "gray.tif"
    done = medseg("predict", tiny_nuclei_bundle, image, "-o", tmp_path, "--level", 2, "--probabilities", "-q")
    assert (done.code, done.err) == (0, "")
    full, pruned = (read_image(f / "gray_probability.tif")[0] for f in (predicted, tmp_path))
    assert abs(full - pruned).max() > 1e-3
    for level in (0, 5):
        done = medseg("predict", tiny_nuclei_bundle, image, "-o", tmp_path / "none", "--level", level)
        assert done.code == 2
        assert f"has no level {level}; give one of 1, 2, 3, 4" in " ".join(done.err.split())
    done = medseg("predict", "em_membrane_unet", image, "-o", tmp_path / "none", "--level", 1)
    assert done.code == 2
    assert "no levels to prune to" in " ".join(done.err.split())


def test_weights_trained_without_deep_supervision_are_not_pruned(medseg, tiny_nuclei_bundle, images, tmp_path):
    settings = ["--set", "network_def::deep_supervision=false"]
    image = images / "gray.tif"
    weights = torch.load(tiny_nuclei_bundle / "models" / "model.pt", weights_only=True)
    alone = {name: value for name, value in weights.items() if not name.startswith(("heads.1", "heads.2", "heads.3"))}
    torch.save(alone, tmp_path / "alone.pt")
    chosen = ["-o", tmp_path / "out", "--weights", tmp_path / "alone.pt", *settings]
    assert medseg("predict", tiny_nuclei_bundle, image, *chosen, "-q").code == 0
    done = medseg("predict", tiny_nuclei_bundle, image, *chosen, "--level", 2, "--overwrite")
    assert done.code != 0
    assert "only its head 4 is trained" in " ".join(done.err.split())


def test_stains_that_are_no_colour_are_refused(medseg, tiny_nuclei_bundle, tmp_path):
    write_image(tmp_path / "stains.tif", np.zeros((20, 20, 5), np.uint8), Geometry("YXC", None, None))
    done = medseg("predict", tiny_nuclei_bundle, tmp_path / "stains.tif", "-o", tmp_path / "out")
    assert done.code == 1
    assert "5 channels, this bundle needs gray or RGB" in " ".join(done.err.split())


def test_training_learns_and_its_weights_predict(medseg, tiny_nuclei_bundle, data, images, tmp_path):
    run = tmp_path / "run"
    options = ["--epochs", 2, "--set", "val_interval=1", "--set", "patch_size=48", "--set", "train::batch_size=3"]
    done = medseg("train", tiny_nuclei_bundle, "--data", data, "-o", run, "--device", "cpu", *options)
    assert done.code == 0, done.err
    history = json.loads((run / "history.json").read_text())
    assert [set(entry) for entry in history] == [{"epoch", "loss", "dice"}] * 2
    done = medseg(
        "predict", tiny_nuclei_bundle, images / "gray.tif", "-o", tmp_path / "out", "--weights", run / "model.pt"
    )
    assert done.code == 0, done.err


@pytest.mark.parametrize("name", ["inference", "train"])
def test_no_property_is_missing(tiny_nuclei_bundle, data, tmp_path, name):
    assert not missing_properties(tiny_nuclei_bundle, name, data, tmp_path)


@pytest.mark.slow
def test_evaluate_scores_label_images(tiny_nuclei_bundle, data, tmp_path):
    settings = ["--dataset_dir", data, "--output_dir", tmp_path, "--level", 2]
    settings += ["--core_threshold", 0.5, "--cell_threshold", 0.5]  # random weights are never sure
    run_bundle(tiny_nuclei_bundle, ["train", "evaluate"], *settings)
    scores = dict(line.split(",")[:2] for line in (tmp_path / "metrics.csv").read_text().split())
    assert set(scores) == {"ap50", "ap50_95", "panoptic_quality", "foreground_iou"}
    assert 0 < float(scores["foreground_iou"]) < 1
    assert float(scores["ap50_95"]) <= float(scores["ap50"]) < 1


def test_configs_agree_with_each_other():
    inference, train, evaluate = (
        json.loads((CONFIGS / f"{name}.json").read_text()) for name in ("inference", "train", "evaluate")
    )
    assert {key: evaluate[key] for key in OF_THE_RESULT} == {key: inference[key] for key in OF_THE_RESULT}
    steps = train["train"]["deterministic_transforms"]
    assert train["validate"]["preprocessing"]["transforms"][:4] == steps[:3] + steps[5:6]
    assert inference["preprocessing"]["transforms"][-2:] == steps[1:3]
    assert evaluate["validate#preprocessing#transforms#3"]["keys"] == steps[5]["keys"] == "label"


def test_levels_are_those_of_the_network(medseg):
    bundle = find_bundle("nuclei_unetplusplus")
    parser = ConfigParser()
    parser.read_config(CONFIGS / "inference.json")
    assert bundle.levels == parser.get_parsed_content("network_def").levels == [1, 2, 3, 4]
    found = {entry["name"]: entry["levels"] for entry in json.loads(medseg("bundles", "--json").out)}
    assert (found["nuclei_unetplusplus"], found["em_membrane_unet"]) == ([1, 2, 3, 4], [])
    assert "1-4" in medseg("bundles").out


def test_volumes_keep_test_time_augmentation_and_a_table_of_volumes(tmp_path):
    parser = ConfigParser()
    parser.read_config([str(CONFIGS / f"{name}.json") for name in ("inference", "ovules_3d_inference")])
    parser.update({"tta": True, "tta_zooms": [1, 2], "tile_shape": [48, 72, 72], "output_dir": str(tmp_path)})
    inferer = parser.get_parsed_content("inferer")
    assert (inferer.inferer.context, inferer.inferer.tile_shape) == (32, (48, 72, 72))
    shapes = []

    def network(image: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(image.shape[2:]))
        return torch.cat([image, image])[None, :, 0] * 20 - 10  # a cell and its core where the image is bright

    network.margin, network.stride, network.valid_size = 0, 8, lambda n: max(1, -(-n // 8)) * 8
    image = torch.zeros(1, 1, 16, 16, 24)
    image[..., 2:8, 4:10, 4:10] = 1
    torch.testing.assert_close(inferer(image, network).sigmoid()[:, :1], image, atol=0.5, rtol=0)
    assert shapes == [(16, 16, 24)] * 8 + [(32, 32, 48)] * 8  # eight mirror images, and each at twice the size
    steps = {type(step).__name__: step for step in parser.get_parsed_content("postprocessing").transforms}
    assert steps["SaveObjectTabled"].spatial_dims == 3


@pytest.mark.slow
def test_the_same_class_learns_volumes(tmp_path):
    """The 3D configs: volume in, volume out."""
    write_synthetic("nuclei", tmp_path / "data", count=2, shape=(24, 72, 80))

    def run(name: str, *settings: object) -> None:
        run_bundle(ROOT / "bundles" / "nuclei_unetplusplus", [name, f"ovules_3d_{name}"], *settings)

    run("train", "--dataset_dir", tmp_path / "data", "--output_dir", tmp_path / "run", "--epochs", 1, "--crops", 4)
    images, out = tmp_path / "data" / "images", tmp_path / "out"
    weights = tmp_path / "run" / "model.pt"
    run("inference", "--dataset_dir", images, "--output_dir", out, "--weights", weights, "--level", 2)
    labels, geometry = read_labels(next(out.glob("*_labels.tif")))
    assert (labels.shape, geometry.axes, geometry.spacing) == ((24, 72, 80), "ZYX", (1.0, 0.5, 0.5))
