"""Unlabelled sections join the labelled ones with probabilities as labels, and are trained on."""

import json

import numpy as np
import pytest
import tifffile
import torch

from data_tools.synth.dataset import write_synthetic
from medseg.errors import InputError
from medseg.transforms import BorderWeightMap

pytestmark = pytest.mark.slow


@pytest.fixture
def files(tmp_path):
    write_synthetic("em", tmp_path / "data", count=2, shape=(220, 230))
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (3, 60, 70), np.uint8)
    probabilities = random.random((3, 60, 70), np.float32)
    tifffile.imwrite(tmp_path / "images.tif", images, metadata={"axes": "ZYX"})
    tifffile.imwrite(tmp_path / "probabilities.tif", probabilities, metadata={"axes": "ZYX"})
    return tmp_path, images, probabilities


def test_sections_with_probabilities_are_trained_on(files, benchmark, capsys):
    folder, images, probabilities = files
    cache = folder / "sections.pt"
    inputs = (folder / "data", folder / "images.tif", folder / "probabilities.tif")
    benchmark("em_unlabelled", *inputs, "--cache", cache).main()
    items = torch.load(cache, weights_only=True)
    assert [tuple(i["image"].shape) for i in items] == [(1, 220, 230)] + 3 * [(1, 60, 70)]
    for item, image, probability in zip(items[1:], images, probabilities, strict=True):
        torch.testing.assert_close(item["label"][0].float(), torch.from_numpy(probability), atol=1e-3, rtol=0)
        low, high = np.percentile(image, [1, 99])
        torch.testing.assert_close(
            item["image"][0].double().numpy(), (image - low) / (high - low), atol=2e-3, rtol=0, check_dtype=False
        )
        assert (item["weight"] == 1).all()
    settings = ("--steps", 1, "--batch", 2, "--size", 220, "--set", "network_def#channels=[2,4,6,8,10]")
    training = ("em_membrane_unet", folder / "none", "--cache", cache, "--out", folder / "model.pt", *settings)
    benchmark("timed_training", *training).main()
    assert "4 images" in capsys.readouterr().out


def test_border_weights_of_what_is_probably_interior(files, benchmark):
    folder, _, probabilities = files
    module = benchmark("em_unlabelled")
    items = module.soft_items(folder / "images.tif", folder / "probabilities.tif", 5.0)
    weighted = BorderWeightMap(5.0, 5.0, class_balance=0.78, objects="components")(probabilities[:1] > 0.5)
    torch.testing.assert_close(items[0]["weight"], torch.as_tensor(weighted).half())


def test_border_weights_are_those_of_the_bundle(files, benchmark, monkeypatch):
    folder, _, probabilities = files
    module = benchmark("em_unlabelled")
    train = json.loads(module.find_bundle(module.BUNDLE).config("train").read_text(encoding="utf-8"))
    (step,) = (s for s in train["train"]["deterministic_transforms"] if "BorderWeightMapd" in s["_target_"])
    step |= {"sigma": 3.0, "class_balance": False}
    (folder / "train.json").write_text(json.dumps(train))
    monkeypatch.setattr(module.find_bundle(module.BUNDLE).__class__, "config", lambda *_: folder / "train.json")
    items = module.soft_items(folder / "images.tif", folder / "probabilities.tif", 4.0)
    weighted = BorderWeightMap(4.0, 3.0, class_balance=False, objects="components")(probabilities[:1] > 0.5)
    torch.testing.assert_close(items[0]["weight"], torch.as_tensor(weighted).half())


def test_probabilities_of_other_sections_are_refused(files, benchmark):
    folder, images, _ = files
    tifffile.imwrite(folder / "fewer.tif", images[:2], metadata={"axes": "ZYX"})
    module = benchmark("em_unlabelled")
    with pytest.raises(InputError, match=r"shape \(3, 60, 70\), .*fewer.tif \(2, 60, 70\)"):
        module.soft_items(folder / "images.tif", folder / "fewer.tif")
