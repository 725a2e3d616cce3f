import json
import re

import numpy as np
import pytest
import torch
from fill_weights import checksum, fill_module, synth_image

from medseg.networks.encoders import ENCODER_NAMES, ResNetEncoder, make_encoder

# what the encoder leaves out: features.18 of MobileNetV2, and in multiply-adds the classifier too
TOP_PARAMETERS = {"mobilenet_v2": 320 * 1280 + 2 * 1280}
TOP_MACS = {
    "vgg16": 25088 * 4096 + 4096 * 4096 + 4096 * 1000,
    "vgg16_bn": 25088 * 4096 + 4096 * 4096 + 4096 * 1000,
    "resnet50": 2048 * 1000,
    "resnet18": 512 * 1000,
    "resnet101": 2048 * 1000,
    "mobilenet_v2": 320 * 1280 * 49 + 1280 * 1000,
}


@pytest.fixture(scope="module")
def facts(arch_oracle) -> dict:
    return json.loads((arch_oracle / "keys_encoders.json").read_text())


@pytest.mark.parametrize("name", TOP_MACS)
def test_keys_and_counts_of_torchvision(name, facts, count_parameters, count_macs):
    with torch.device("meta"):
        encoder = make_encoder(name, 2, 3)
    known = facts[name]
    shapes = {key: list(value.shape) for key, value in encoder.state_dict().items()}
    assert shapes == {k: v for k, v in known["encoder_keys"].items() if not k.startswith(encoder.ignored_keys)}
    assert count_parameters(encoder) + TOP_PARAMETERS.get(name, 0) == known["n_parameters_encoder"]
    assert count_macs(encoder, 1, 3, 224, 224) + TOP_MACS[name] == known["macs_224_whole"]
    channels = {int(stride): n for stride, n in known["feature_channels"].items()}
    assert dict(zip(encoder.strides, encoder.channels, strict=True)) == channels


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn", "resnet18", "resnet50", "mobilenet_v2"])
def test_features_of_torchvision(name, arch_oracle):
    stored = np.load(arch_oracle / f"encoder_{name}.npz")
    meta = json.loads(str(stored["meta"]))
    image = synth_image(meta["input"]["name"], meta["input"]["shape"], clip01=meta["input"].get("clip01", False))
    assert checksum(image) == meta["input"]["crc32"]
    encoder = make_encoder(name, 2, 3).eval()
    fill_module(encoder, meta["salt"], meta["adjust"])
    with torch.inference_mode():
        found = encoder.double()(torch.from_numpy(image)[None].double())
    compared = 0
    for stride, feature in zip(encoder.strides, found, strict=True):
        assert list(feature.shape) == meta["stats"][str(stride)]["shape"]
        for key, step in ((f"stride{stride}", 1), (f"stride{stride}_c4", 4)):
            if key in stored:
                expected = stored[key]
                assert np.abs(feature[:, ::step].numpy() - expected).max() <= 1e-6 * np.abs(expected).max()
                compared += 1
    assert compared == len(encoder.strides)


def rates(encoder) -> set[tuple[str, int]]:
    """(name, rate) of the dilated convolutions."""
    return {(n, m.dilation[0]) for n, m in encoder.named_modules() if getattr(m, "dilation", 1) not in (1, (1, 1))}


@pytest.mark.parametrize(("output_stride", "expected"), [(32, {}), (16, {4: 2}), (8, {3: 2, 4: 4})])
def test_atrous_rates_of_resnet(output_stride, expected):
    with torch.device("meta"):
        encoder = make_encoder("resnet50", 2, 3, output_stride)
    for name, module in encoder.named_modules():
        if m := re.fullmatch(r"layer(\d)\.(\d)\.conv2", name):
            layer, block = int(m[1]), int(m[2])
            # the first block of a layer that no longer strides keeps the rate so far
            assert module.dilation[0] == expected.get(layer if block else layer - 1, 1)
            assert module.padding == module.dilation
    assert {s for n, _ in rates(encoder) if (s := n.split(".")[0])} <= {"layer3", "layer4"}


@pytest.mark.parametrize(
    ("output_stride", "expected"), [(32, {}), (16, {15: 2, 16: 2, 17: 2}), (8, dict.fromkeys(range(8, 15), 2))]
)
def test_atrous_rates_of_mobilenet(output_stride, expected):
    if output_stride == 8:
        expected = expected | {15: 4, 16: 4, 17: 4}
    with torch.device("meta"):
        encoder = make_encoder("mobilenet_v2", 2, 3, output_stride)
    assert rates(encoder) == {(f"features.{i}.conv.1.0", rate) for i, rate in expected.items()}


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("name", "output_stride"),
    [(n, s) for n in ENCODER_NAMES for s in (8, 16, 32) if s == 32 or not n.startswith("vgg")],
)
def test_shapes_are_as_announced(name, dims, output_stride):
    with torch.device("meta"):
        encoder = make_encoder(name, dims, 2, output_stride)
        image = torch.zeros(2, 2, *(32 * n for n in (3, 2, 4)[:dims]))
    features = encoder(image)
    assert max(encoder.strides) == output_stride
    for feature, stride, channels in zip(features, encoder.strides, encoder.channels, strict=True):
        assert feature.shape == (2, channels, *(n // stride for n in image.shape[2:]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("alexnet", 2, 3), "there are vgg16"),
        (("resnet18", 1, 3), "spatial_dims"),
        (("vgg16", 2, 3, 16), "no atrous form"),
        (("resnet18", 2, 3, 4), "8, 16 or 32"),
    ],
)
def test_refuses_what_there_is_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_encoder(*arguments)
    with pytest.raises(ValueError, match="18, 34, 50 or 101"):
        ResNetEncoder(2, 3, layers=20)
