import json
import re

import numpy as np
import pytest
import torch
from fill_weights import checksum, fill_module, synth_image
from monai.losses import DeepSupervisionLoss

from medseg.networks import UNetPlusPlus


def paper_key(key: str) -> str:
    """From a UNetPlusPlus key without norm to the oracle's names x01.conv1, up01, head1."""
    if m := re.fullmatch(r"heads\.(\d)\.(\w+)", key):
        return f"head{m[1]}.{m[2]}"
    if m := re.fullmatch(r"nodes\.(\d)_(\d)\.up\.(\w+)", key):
        return f"up{m[1]}{m[2]}.{m[3]}"
    m = re.fullmatch(r"(?:encoders\.(\d)|nodes\.(\d)_(\d)\.block)\.(\d)\.(\w+)", key)
    node = f"{m[1]}0" if m[1] else m[2] + m[3]
    return f"x{node}.conv{1 + int(m[4]) // 2}.{m[5]}"


@pytest.fixture(scope="module")
def facts(arch_oracle):
    return json.loads((arch_oracle / "unetpp_facts.json").read_text())


@pytest.mark.parametrize(
    ("dims", "ins", "options", "heads", "levels"),
    [
        (2, 1, {}, 9041700, [100961, 511105, 2204961, 9041601]),
        (3, 1, {}, 26198372, None),
        (2, 3, {"norm": "batch", "upsample": "bilinear"}, 9163428, [103041, 519105, 2236161, 9163329]),
    ],
)
def test_parameter_counts_of_every_level(dims, ins, options, heads, levels, count_parameters):
    network = UNetPlusPlus(dims, ins, 1, **options)
    assert count_parameters(network) == heads
    if levels:
        assert [count_parameters(network.pruned(level)) for level in network.levels] == levels
        assert count_parameters(UNetPlusPlus(dims, ins, 1, deep_supervision=False, **options)) == levels[-1]


def test_keys_and_shapes_of_the_paper(facts):
    own = {paper_key(k): list(v.shape) for k, v in UNetPlusPlus(2, 1, 1).state_dict().items()}
    assert own == facts["paper"]["unetpp_keys"]


@pytest.mark.parametrize(
    ("case", "concat"),
    [("unetpp_paper", "up_first"), ("unetpp_paper_3d", "up_first"), ("unetpp_paper_skipfirst", "skips_first")],
)
def test_parity_with_the_functional_reference(arch_oracle, case, concat, count_parameters):
    stored = np.load(arch_oracle / f"{case}.npz")
    meta = json.loads(str(stored["meta"]))
    image = synth_image(meta["input"]["name"], meta["input"]["shape"])
    assert checksum(image) == meta["input"]["crc32"]
    network = UNetPlusPlus(image.ndim - 1, 1, meta["classes"], channels=meta["filters"], concat=concat)
    fill_module(network, meta["salt"], meta["adjust"], rename=paper_key)
    assert count_parameters(network) == meta["parameters"]
    batch = torch.from_numpy(image)[None].double()
    with torch.inference_mode():
        heads = network.double().train()(batch)
        for level, output in zip((4, 3, 2, 1), heads, strict=True):
            expected = stored[f"output{level}"]
            assert np.abs(output.numpy() - expected).max() <= 1e-6 * np.abs(expected).max()
            assert torch.equal(network.pruned(level).eval()(batch), output)
        assert torch.equal(network.eval()(batch), heads[0])
    assert {f"L{level}": count_parameters(network.pruned(level)) for level in (1, 2, 3)} == meta["pruned_parameters"]


def test_dropout_only_in_training():
    network, image = UNetPlusPlus(2, 1, 1, channels=(8, 8), dropout=0.5), torch.rand(1, 1, 8, 8)
    assert not torch.equal(network(image)[0], network(image)[0])
    assert torch.equal(network.eval()(image), network(image))


def test_first_head_is_the_deepest_and_weighs_most():
    network = UNetPlusPlus(2, 1, 1, channels=(4, 4, 4, 4))
    network(torch.rand(1, 1, 8, 8))[0].sum().backward()
    assert network.heads["3"].weight.grad is not None
    assert network.heads["1"].weight.grad is None
    assert network.encoders[3][0].weight.grad is not None  # the bottom, which only the deepest head sees
    target = torch.ones(1, 1, 8, 8)
    weights = DeepSupervisionLoss(torch.nn.MSELoss()).get_weights(3)
    assert weights == sorted(weights, reverse=True)
    network.zero_grad()
    DeepSupervisionLoss(torch.nn.L1Loss())(network(torch.zeros(1, 1, 8, 8)), target).backward()
    steps = [network.heads[level].bias.grad.abs().item() for level in "321"]
    assert steps == pytest.approx([1, 0.5, 0.25])


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_accurate_mode_averages_probabilities(activation):
    torch.manual_seed(0)
    network = UNetPlusPlus(2, 1, 3, channels=(4, 4, 4), norm="instance", mode="accurate", activation=activation)
    image = torch.randn(2, 1, 16, 16)
    probability = torch.sigmoid if activation == "sigmoid" else lambda z: torch.softmax(z, 1)
    with torch.inference_mode():
        mean = torch.stack([probability(head) for head in network(image)]).mean(0)  # instance norm: modes agree
        accurate = network.eval()(image)
        torch.testing.assert_close(probability(accurate), mean)
        network.mode = "fast"
        assert not torch.allclose(probability(network(image)), mean, atol=1e-3)
        assert torch.equal(network.pruned(2)(image), network(image))


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_accurate_mode_averages_in_float32_what_the_heads_give_in_half_precision(activation):
    torch.manual_seed(0)
    network = UNetPlusPlus(2, 1, 3, channels=(4, 4, 4), norm="instance", mode="accurate", activation=activation)
    for head in network.heads.values():
        torch.nn.init.normal_(head.weight, std=2)
    image, probability = torch.randn(1, 1, 32, 32), torch.sigmoid if activation == "sigmoid" else torch.nn.Softmax(1)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        heads = network(image)
        assert heads[0].dtype == torch.bfloat16
        accurate = network.eval()(image)
    assert accurate.dtype == torch.float32
    mean = torch.stack([probability(head.float()) for head in heads]).mean(0)
    torch.testing.assert_close(probability(accurate), mean)
    assert network.double()(image.double()).dtype == torch.float64


def test_convolutions_start_he_normal_without_bias():
    convolutions = [m for m in UNetPlusPlus(2, 3, 1, channels=(32, 64)).modules() if isinstance(m, torch.nn.Conv2d)]
    assert all((m.bias == 0).all() for m in convolutions)
    large = [m for m in convolutions if m.weight.numel() > 5000]
    assert len(large) == 5
    for m in large:
        assert m.weight.std().item() == pytest.approx((2 / (9 * m.in_channels)) ** 0.5, rel=0.05)


def test_accurate_mode_is_finite_where_probabilities_saturate():
    network = UNetPlusPlus(2, 1, 1, channels=(1, 1, 1), mode="accurate").eval()
    for head, bias in zip(network.heads.values(), (200.0, 180.0), strict=True):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.constant_(head.bias, bias)
    with torch.inference_mode():  # mean of 1 - e^-200 and 1 - e^-180
        assert network(torch.zeros(1, 1, 4, 4)).flatten()[0].item() == pytest.approx(180 + np.log(2), abs=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upsample": "bilinear", "norm": "batch", "concat": "up_first"},
        {"norm": "instance", "dropout": 0.5, "mode": "accurate", "activation": "softmax"},
        {"deep_supervision": False},
    ],
)
@pytest.mark.parametrize("dims", [2, 3])
def test_scripts_saves_and_trains(dims, options, tmp_path):
    network = UNetPlusPlus(dims, 2, 3, channels=(4, 6, 8), **options)
    image = torch.rand(2, 2, *[8] * dims)
    outputs = network(image)
    assert len(outputs) == 2  # two heads, or one tensor of two images
    sum(output.square().mean() for output in outputs).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    network.eval()
    torch.jit.script(network).save(tmp_path / "w.ts")
    torch.testing.assert_close(torch.jit.load(tmp_path / "w.ts")(image), network(image))
    torch.save(network.state_dict(), tmp_path / "w.pt")
    other = UNetPlusPlus(dims, 2, 3, channels=(4, 6, 8), **options).eval()
    other.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True))
    assert torch.equal(other(image), network(image))


def test_sizes_that_pool():
    network = UNetPlusPlus(2, 1, 1, channels=(2, 2, 2)).eval()
    assert (network.margin, network.stride) == (0, 4)
    assert [network.valid_size(n) for n in (0, 1, 4, 5, 8)] == [4, 4, 4, 8, 8]
    for n in range(1, 13):
        image = torch.zeros(1, 1, 8, n)
        if network.valid_size(n) == n:
            assert network(image).shape == image.shape
        else:
            with pytest.raises(ValueError, match=f"a side of {n} pixels.*multiple of 4"):
                network(image)
    assert network.pruned(1)(torch.zeros(1, 1, 2, 6)).shape == (1, 1, 2, 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims is one of"),
        ({"upsample": "nearest"}, "upsample is one of"),
        ({"concat": "last"}, "concat is one of"),
        ({"mode": "slow"}, "mode is one of"),
        ({"activation": "relu"}, "activation is one of"),
        ({"channels": (8,)}, "two levels"),
        ({"mode": "accurate", "out_channels": 3}, "averages probabilities"),
    ],
)
def test_refuses_what_it_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNetPlusPlus(**{"spatial_dims": 2, "in_channels": 1, "out_channels": 1} | arguments)


def test_a_mode_set_later_is_checked_too():
    network = UNetPlusPlus(2, 1, 3, channels=(2, 2))
    for mode, message in (("accurate", "averages probabilities"), ("Fast", "mode is one of")):
        with pytest.raises(ValueError, match=message):
            network.mode = mode
    assert network.mode == "fast"
