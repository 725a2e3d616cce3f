import collections
import re

import pytest
import torch
from torch import nn

from medseg.errors import InputError
from medseg.networks.encoders import adapt_input_channels, load_encoder_weights, make_encoder


def as_classifier(encoder: nn.Module, counters: bool = True) -> collections.OrderedDict:
    """What torchvision would have saved: the encoder and a classifier."""
    state = collections.OrderedDict(
        (k, v.clone()) for k, v in encoder.state_dict().items() if counters or not k.endswith("num_batches_tracked")
    )
    for key in encoder.ignored_keys:
        if not key.startswith("features"):
            state[key + "weight"] = torch.zeros(1000, 512)
    return state


@pytest.fixture
def randomised():
    def make(name: str, channels: int = 3, dims: int = 2) -> nn.Module:
        torch.manual_seed(0)
        encoder = make_encoder(name, dims, channels).eval()
        for key, value in encoder.state_dict().items():
            if key.endswith("running_mean"):
                value.uniform_(-0.1, 0.1)
        return encoder

    return make


@pytest.mark.parametrize("counters", [True, False])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_loads_what_torchvision_saves(name, counters, randomised, tmp_path):
    source = randomised(name)
    torch.save(as_classifier(source, counters), tmp_path / "w.pth")
    torch.manual_seed(1)
    target = make_encoder(name, 2, 3).eval()
    load_encoder_weights(target, tmp_path / "w.pth")
    image = torch.rand(1, 3, 33, 40)
    for a, b in zip(source(image), target(image), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_mobilenet_leaves_the_classifiers_convolution_out(randomised, tmp_path):
    whole = randomised("mobilenet_v2")
    torch.save(as_classifier(whole) | {"features.18.0.weight": torch.zeros(1280, 320, 1, 1)}, tmp_path / "w.pth")
    part = make_encoder("mobilenet_v2", 2, 3, 8)
    load_encoder_weights(part, tmp_path / "w.pth")
    torch.testing.assert_close(part.features[17].conv[2].weight, whole.features[17].conv[2].weight)


def test_one_channel_equals_three_equal_ones(randomised, tmp_path):
    source = randomised("resnet18").double()
    torch.save(source.state_dict(), tmp_path / "w.pth")
    grey = make_encoder("resnet18", 2, 1).double().eval()
    load_encoder_weights(grey, tmp_path / "w.pth")
    image = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    for a, b in zip(source(image.expand(-1, 3, -1, -1)), grey(image), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_xception_takes_its_own_files(tmp_path):
    with torch.device("meta"):
        source = make_encoder("xception65", 2, 3)
    torch.save(
        {k: torch.full(v.shape, 0.5, dtype=torch.half) for k, v in source.state_dict().items()}, tmp_path / "w.pt"
    )
    target = make_encoder("xception65", 2, 1)
    load_encoder_weights(target, tmp_path / "w.pt")
    assert (target.conv1[0].weight == 1.5).all()
    assert (target.blocks[18][2].pointwise.weight == 0.5).all()


@pytest.mark.parametrize("old", [1, 3])
@pytest.mark.parametrize("new", [1, 2, 3, 4, 7])
def test_adapted_channels(old, new):
    weight = torch.rand(5, old, 3, 3)
    before = weight.clone()
    adapted = adapt_input_channels(weight, new)
    assert adapted.shape == (5, new, 3, 3)
    if new > 1:
        for c in range(new):
            torch.testing.assert_close(adapted[:, c], weight[:, c % old] * old / new)
    else:
        torch.testing.assert_close(adapted[:, 0], weight.sum(1))
    torch.testing.assert_close(weight, before)


def test_half_precision_files(randomised, tmp_path):
    source = randomised("resnet18")
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in source.state_dict().items()}, tmp_path / "w.pt")
    target = make_encoder("resnet18", 2, 3)
    load_encoder_weights(target, tmp_path / "w.pt")
    assert target.conv1.weight.dtype == torch.float32
    torch.testing.assert_close(target.conv1.weight, source.conv1.weight, atol=1e-3, rtol=1e-3)


def test_refuses_files_of_other_networks(randomised, tmp_path):
    path = tmp_path / "resnet18.pth"
    torch.save(randomised("resnet18").state_dict(), path)
    with pytest.raises(InputError, match=re.escape(f"{path}: no checkpoint of a resnet34") + ".*lacks layer1.2"):
        load_encoder_weights(make_encoder("resnet34", 2, 3), path)
    with pytest.raises(InputError, match=r"other shapes for conv1\.weight"):
        load_encoder_weights(make_encoder("resnet18", 3, 3), path)
    torch.save(randomised("resnet18").state_dict() | {"extra": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="also holds extra"):
        load_encoder_weights(make_encoder("resnet18", 2, 3), path)


def test_refuses_files_that_hold_no_weights(tmp_path):
    encoder = make_encoder("resnet18", 2, 3)
    with pytest.raises(InputError, match="no such file"):
        load_encoder_weights(encoder, tmp_path / "none.pth")
    torch.save(encoder.state_dict(), tmp_path / "whole.pth")
    for content in (b"", b"text", (tmp_path / "whole.pth").read_bytes()[:-100]):
        (tmp_path / "damaged.pth").write_bytes(content)
        with pytest.raises(InputError, match=r"damaged\.pth: damaged or no file of weights"):
            load_encoder_weights(encoder, tmp_path / "damaged.pth")
    for content in ({"state_dict": encoder.state_dict()}, {"epoch": 3}, {}, [1]):
        torch.save(content, tmp_path / "wrapped.pth")
        with pytest.raises(InputError, match="no plain weights"):
            load_encoder_weights(encoder, tmp_path / "wrapped.pth")
    torch.save(encoder, tmp_path / "pickled.pth")
    with pytest.raises(InputError, match="damaged or no file of weights"):
        load_encoder_weights(encoder, tmp_path / "pickled.pth")


def test_weights_that_may_not_be_read_are_not_called_damaged(forbidden, tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(PermissionError):
        load_encoder_weights(make_encoder("resnet18", 2, 3), forbidden(tmp_path / "w.pth"))


def test_a_failed_load_changes_nothing(randomised, tmp_path):
    torch.save(randomised("resnet18").state_dict(), tmp_path / "w.pth")
    target = make_encoder("resnet34", 2, 3)
    before = target.conv1.weight.clone()
    with pytest.raises(InputError):
        load_encoder_weights(target, tmp_path / "w.pth")
    torch.testing.assert_close(target.conv1.weight, before)
