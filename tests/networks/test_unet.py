import json
import re

import numpy as np
import pytest
import torch
from fill_weights import checksum, fill_module, synth_image

from medseg.networks import UNet


def paper_key(depth: int):
    """From a UNet key to the oracle's names enc0.conv1, bottom.conv2, up3, dec3.conv1, head."""

    def rename(key: str) -> str:
        if m := re.fullmatch(r"(encoders|decoders|upsamplers)\.(\d+)\.(.*)", key):
            part, i, rest = m[1], int(m[2]), m[3]
            level = i if part == "encoders" else depth - 1 - i
            name = {"encoders": "enc", "decoders": "dec", "upsamplers": "up"}[part] + str(level)
        elif m := re.fullmatch(r"(bottom|head)\.(.*)", key):
            name, rest = m[1], m[2]
        if "." in rest:
            layer, leaf = rest.split(".")
            return f"{name}.conv{1 + int(layer) // 2}.{leaf}"
        return f"{name}.{rest}"

    return rename


@pytest.mark.parametrize(
    ("ins", "outs", "parameters"), [(1, 2, 31030658), (1, 1, 31030593), (1, 4, 31030788), (3, 2, 31031810)]
)
def test_parameter_count_of_the_paper(ins, outs, parameters, count_parameters):
    assert count_parameters(UNet(2, ins, outs)) == parameters
    assert count_parameters(UNet(2, ins, outs, padding="same")) == parameters


def test_572_gives_388():
    network = UNet(2, 1, 2).eval()
    assert (network.margin, network.stride) == (92, 16)
    with torch.inference_mode():
        assert network(torch.zeros(1, 1, 572, 572)).shape == (1, 2, 388, 388)


def test_3d_facts(count_parameters):
    network = UNet(3, 1, 3, channels=(32, 64, 128, 256))
    assert count_parameters(network) == 5599779
    assert (network.margin, network.stride) == (44, 8)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_valid_size_is_the_smallest_that_runs(depth):
    network = UNet(2, 1, 1, channels=(1,) * (depth + 1)).eval()
    step = network.stride
    first = network.valid_size(1)
    assert first == {1: 18, 2: 44, 3: 92, 4: 188}[depth]
    for n in range(first, first + 2 * step + 1):
        runs = (n - first) % step == 0
        assert (network.valid_size(n) == n) == runs
        image = torch.zeros(1, 1, n, first)
        if runs:
            assert network(image).shape[2] == n - 2 * network.margin
        else:
            with pytest.raises(ValueError, match=f"{n} pixels"):
                network(image)
    with pytest.raises(ValueError, match="pool without remainder"):
        network(torch.zeros(1, 1, first - step, first))


@pytest.mark.parametrize("case", ["188", "220x252", "3d"])
def test_parity_with_the_functional_reference(arch_oracle, case, count_parameters):
    stored = np.load(arch_oracle / f"unet_valid_{case}.npz")
    meta = json.loads(str(stored["meta"]))
    image = synth_image(meta["input"]["name"], meta["input"]["shape"])
    assert checksum(image) == meta["input"]["crc32"]
    channels = [meta["base"] * 2**level for level in range(meta["depth"] + 1)]
    network = UNet(image.ndim - 1, image.shape[0], meta["classes"], channels=channels).eval()
    fill_module(network, meta["salt"], meta["adjust"], rename=paper_key(meta["depth"]))
    assert count_parameters(network) == meta["parameters"]
    with torch.inference_mode():
        output = network.double()(torch.from_numpy(image)[None].double())[0].numpy()
    expected = stored["output"].reshape(output.shape)
    assert np.abs(output - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("options", [{}, {"padding": "same", "norm": "batch"}, {"norm": "instance", "dropout": 0.5}])
@pytest.mark.parametrize("dims", [2, 3])
def test_scripts_saves_and_trains(dims, options, tmp_path):
    network = UNet(dims, 2, 3, channels=(4, 8, 8), **options)
    image = torch.rand(2, 2, *[network.valid_size(40)] * dims)
    network(image).square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    network.eval()
    scripted = torch.jit.script(network)
    torch.testing.assert_close(scripted(image), network(image))
    torch.save(network.state_dict(), tmp_path / "w.pt")
    other = UNet(dims, 2, 3, channels=(4, 8, 8), **options).eval()
    other.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True))
    torch.testing.assert_close(other(image), network(image))


def test_dropout_follows_the_two_lowest_levels_in_training():
    network, image = UNet(2, 1, 1, channels=(2, 4, 8, 8), dropout=0.5), torch.rand(1, 1, 92, 92)
    places = [name.rpartition(".")[0] for name, m in network.named_modules() if isinstance(m, torch.nn.Dropout)]
    assert places == ["encoders.2", "bottom"]
    assert not torch.equal(network(image), network(image))
    assert torch.equal(network.eval()(image), network(image))


def test_weights_start_as_in_the_paper():
    network = UNet(2, 1, 2, channels=(32, 64, 128))
    second = network.bottom[2].weight
    assert second.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    assert network.upsamplers[0].weight.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims"),
        ({"padding": "mirror"}, "padding"),
        ({"channels": (8,)}, "two levels"),
    ],
)
def test_refuses_what_it_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(**{"spatial_dims": 2, "in_channels": 1, "out_channels": 1} | arguments)


def test_same_padding_refuses_sides_that_do_not_pool():
    network = UNet(2, 1, 1, channels=(2, 2, 2), padding="same")
    assert (network.margin, network.valid_size(1), network.valid_size(9)) == (0, 4, 12)
    with pytest.raises(ValueError, match="10 pixels"):
        network(torch.zeros(1, 1, 10, 12))
