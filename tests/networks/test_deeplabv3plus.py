import json
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fill_weights import checksum, fill_array, synth_image
from torch import nn

from medseg.networks import DeepLabV3Plus, load_encoder_weights


def published_name(key: str) -> str:
    """From a key of the Xception network to the oracle's: aspp.b1.depthwise, decoder.conv0, backbone.exit1 ..."""
    if m := re.fullmatch(r"encoder\.blocks\.(\d+)\.(.*)", key):  # entry3, middle1-16, exit1, exit2
        i, rest = int(m[1]), m[2]
        block = "entry3" if i == 0 else f"middle{i}" if i <= 16 else f"exit{i - 16}"
        rest = re.sub(r"^(\d)\.", lambda u: f"sep{int(u[1]) + 1}.", rest)
        key = f"backbone.{block}.{rest}"
    for pattern, name in (
        (r"^encoder\.", "backbone."),
        (r"^low\.", "decoder.low."),
        (r"^aspp\.image\.", "aspp.pool."),
        (r"^aspp\.branches\.", "aspp.b"),
        (r"^decoder\.(\d)\.", r"decoder.conv\1."),
        # ConvBNReLU and the shortcuts are sequences of convolution and normalisation
        (r"\.0\.(weight)$", r".\1"),
        (r"\.1\.(weight|bias|running_mean|running_var|num_batches_tracked)$", r"_bn.\1"),
    ):
        key = re.sub(pattern, name, key)
    return key


def vainf_name(key: str) -> str:
    """From a key of a ResNet or MobileNetV2 network to VainF's."""
    if m := re.fullmatch(r"encoder\.features\.(\d+)\.(.*)", key):
        return f"backbone.{'low' if int(m[1]) < 4 else 'high'}_level_features.{m[1]}.{m[2]}"
    for pattern, name in (
        (r"^encoder\.", "backbone."),
        (r"^low\.", "classifier.project."),
        (r"^aspp\.branches\.", "classifier.aspp.convs."),
        (r"^aspp\.project\.", "classifier.aspp.project."),
        (r"^decoder\.0\.", "classifier.classifier."),
        (r"^head\.", "classifier.classifier.3."),
    ):
        key = re.sub(pattern, name, key)
    return re.sub(r"^aspp\.image\.(\d)", lambda m: f"classifier.aspp.convs.4.{int(m[1]) + 1}", key)


def reference(folder, case: str) -> tuple[dict, torch.Tensor, np.ndarray]:
    stored = np.load(folder / f"deeplab_{case}.npz")
    meta = json.loads(str(stored["meta"]))
    image = synth_image(meta["input"]["name"], meta["input"]["shape"])
    assert checksum(image) == meta["input"]["crc32"]
    return meta, torch.from_numpy(image)[None].double(), stored["output"]


def unfilled(*args, **options) -> DeepLabV3Plus:
    """A network in double precision without the cost of random weights."""
    with torch.device("meta"):
        network = DeepLabV3Plus(*args, **options).double().eval()
    return network.to_empty(device="cpu")


def fill(network: nn.Module, meta: dict, rename) -> None:
    """Give each tensor the numbers of the reference's name, and see that no name of the reference is left over."""
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    names = {k: rename(k) for k in state}
    wanted = {k: tuple(s) for k, s in meta["keys"].items() if not k.endswith("num_batches_tracked")}
    assert {names[k]: tuple(v.shape) for k, v in state.items()} == wanted
    for key, value in state.items():
        value.copy_(torch.from_numpy(fill_array(names[key], value.shape, meta["salt"], meta["adjust"])))


def relative_error(output: torch.Tensor, expected: np.ndarray) -> float:
    assert output.shape == expected.shape
    return float(np.abs(output.numpy() - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(
    ("case", "options"),
    [("os16", {}), ("os8", {"output_stride": 8}), ("os16_plain", {"separable": False})],
)
def test_parity_with_the_paper_s_xception(case, options, arch_oracle, count_parameters):
    meta, image, expected = reference(arch_oracle, f"xception65_{case}")
    network = unfilled(2, 3, 4, **options)
    assert count_parameters(network) == meta["parameters"]
    fill(network, meta, published_name)
    with torch.inference_mode():
        assert relative_error(network(image), expected) < 1e-6


VAINF = {"separable": False, "decoder_channels": (256,), "align_corners": False}


def take_vainf_s_order(network: DeepLabV3Plus) -> None:
    """VainF concatenates the image's mean last and the low-level features first."""
    weight = network.aspp.project[0].weight
    weight.copy_(torch.cat([weight[:, 1024:], weight[:, :1024]], dim=1))
    weight = network.decoder[0][0].weight
    weight.copy_(torch.cat([weight[:, 48:], weight[:, :48]], dim=1))


def pad_like_vainf(network: DeepLabV3Plus) -> None:
    """VainF pads in front of the expansion instead of the depthwise convolution, and not the first convolution."""
    network.encoder.features[0][0].padding = (0, 0)
    for block in network.encoder.features[1:]:
        depthwise = next(m for m in block.modules() if isinstance(m, nn.Conv2d) and m.groups > 1)
        (rate, _), depthwise.padding = depthwise.dilation, (0, 0)

        def forward(x, block=block, rate=rate):
            y = block.conv(F.pad(x, [rate] * 4))
            return x + y if block.has_shortcut else y

        block.forward = forward


@pytest.mark.parametrize("output_stride", [16, 8])
@pytest.mark.parametrize("backbone", ["resnet50", "mobilenet_v2"])
@torch.inference_mode()
def test_parity_with_vainf_but_for_its_departures(backbone, output_stride, arch_oracle, count_parameters):
    name = backbone.removesuffix("_v2")
    meta, image, expected = reference(arch_oracle, f"vainf_{name}_os{output_stride}")
    network = unfilled(2, 3, 4, backbone, output_stride, **VAINF)
    assert count_parameters(network) == meta["parameters"]
    fill(network, meta, vainf_name)
    take_vainf_s_order(network)
    if backbone == "mobilenet_v2":
        pad_like_vainf(network)
    assert relative_error(network(image), expected) < 1e-6


# (options, parameters, multiply-adds at output stride 16 and 8), 21 classes, 513 x 513 pixels
COUNTS = [
    ({}, 41055413, 54035303024, 176851524720),
    ({"separable": False}, 54711461, 86679236288, 248782061760),
    ({"backbone": "resnet50", **VAINF}, 39761845, 62379547072, 178087811520),
    ({"backbone": "resnet101", **VAINF}, 58753973, 83005102528, 258108905920),
]


@pytest.mark.parametrize(("options", "parameters", "macs16", "macs8"), COUNTS)
def test_counts(options, parameters, macs16, macs8, count_parameters, count_macs):
    for output_stride, macs in ((16, macs16), (8, macs8)):
        with torch.device("meta"):
            network = DeepLabV3Plus(2, 3, 21, output_stride=output_stride, **options)
        assert count_parameters(network) == parameters
        assert count_macs(network, 1, 3, 513, 513) == macs


def test_multiply_adds_of_the_paper_s_table(count_macs):
    for output_stride, giga in ((16, 54.17), (8, 177.10)):
        with torch.device("meta"):
            network = DeepLabV3Plus(2, 3, 21, output_stride=output_stride)
        assert count_macs(network, 1, 3, 513, 513) / 1e9 == pytest.approx(giga, rel=0.003)
    # "no ASPP, no decoder": the backbone, and 21 classes from its last map
    with torch.device("meta"):
        mobile = DeepLabV3Plus(2, 3, 21, "mobilenet_v2").encoder
    assert count_macs(mobile, 1, 3, 513, 513) / 1e9 < 2.75


@pytest.mark.parametrize(
    ("backbone", "side", "stride", "high", "low"),
    [
        (backbone, side, stride, high, low)
        for backbone in ("xception65", "resnet50")
        for side, high16, high8, low in ((128, 8, 16, 32), (129, 9, 17, 33), (224, 14, 28, 56), (513, 33, 65, 129))
        for stride, high in ((16, high16), (8, high8))
    ],
)
def test_feature_shapes(backbone, side, stride, high, low):
    with torch.device("meta"):
        network = DeepLabV3Plus(2, 3, 4, backbone, stride)
        features = network.encoder(torch.zeros(1, 3, side, side))
    assert features[-1].shape == (1, 2048, high, high)
    assert features[network.encoder.strides.index(4)].shape == (1, 256, low, low)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("shape", [(1, 1, 1), (15, 1, 17), (33, 20, 7)])
def test_trains_with_batch_size_one_at_any_size(shape, dims):
    network = DeepLabV3Plus(dims, 2, 3, "mobilenet_v2").train()
    image = torch.rand(1, 2, *shape[:dims])
    logits = network(image)
    assert logits.shape == (1, 3, *shape[:dims])
    logits.square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    assert torch.isfinite(network.eval()(image)).all()


@torch.inference_mode()
def test_xception_scripts():
    network = DeepLabV3Plus(2, 1, 2, separable=True).eval()
    image = torch.rand(1, 1, 20, 33)
    torch.testing.assert_close(torch.jit.script(network)(image), network(image))


@pytest.mark.parametrize("dims", [2, 3])
@torch.inference_mode()
def test_scripts_saves_and_gives_the_same(dims, tmp_path):
    torch.manual_seed(0)
    network = DeepLabV3Plus(dims, 1, 2, "mobilenet_v2").eval()
    image = torch.rand(1, 1, *(40, 50, 20)[:dims])
    expected = network(image)
    torch.jit.script(network).save(str(tmp_path / "model.ts"))
    torch.testing.assert_close(torch.jit.load(str(tmp_path / "model.ts"))(image), expected)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    other = DeepLabV3Plus(dims, 1, 2, "mobilenet_v2").eval()
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    torch.testing.assert_close(other(image), expected)


def test_backbone_takes_torchvision_weights(tmp_path):
    source = DeepLabV3Plus(2, 3, 2, "resnet18", 8).encoder
    torch.save(source.state_dict() | {"fc.weight": torch.zeros(1000, 512)}, tmp_path / "w.pth")
    network = DeepLabV3Plus(2, 1, 2, "resnet18", 16)
    load_encoder_weights(network.encoder, tmp_path / "w.pth")
    torch.testing.assert_close(network.encoder.layer4[1].conv2.weight, source.layer4[1].conv2.weight)


def test_sizes_for_inferers():
    with torch.device("meta"):
        network = DeepLabV3Plus(2, 1, 2, "mobilenet_v2", 8)
    assert (network.margin, network.stride) == (0, 8)
    assert (network.valid_size(513), network.valid_size(0)) == (513, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "vgg16"}, "no backbone 'vgg16'; there are xception65"),
        ({"output_stride": 32}, "8 or 16, not 32"),
        ({"spatial_dims": 1}, "spatial_dims"),
        ({"decoder_channels": ()}, "at least one"),
    ],
)
def test_refuses_what_it_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        DeepLabV3Plus(**{"spatial_dims": 2, "in_channels": 1, "out_channels": 1} | arguments)
