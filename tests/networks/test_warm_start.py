import pytest
import torch

from medseg.errors import InputError
from medseg.networks import DeepLabV3Plus, TransferUNet, UNet, warm_start

SMALL = {"channels": (4, 8, 8)}


@pytest.fixture
def saved(tmp_path):
    def save(network: torch.nn.Module):
        torch.save(network.state_dict(), tmp_path / "model.pt")
        return tmp_path / "model.pt"

    return save


def test_the_same_network_is_taken_wholly(saved):
    source, target = UNet(2, 1, 2, **SMALL), UNet(2, 1, 2, **SMALL)
    report = warm_start(target, saved(source))
    assert report.taken == list(target.state_dict())
    assert report.adapted == report.misfits == report.missing == report.unused == []
    assert str(report) == f"{len(report.taken)} of {len(report.taken)} tensors taken"
    image = torch.rand(1, 1, 44, 44)
    torch.testing.assert_close(target(image), source(image))


def test_other_classes_and_channels(saved):
    source, target = UNet(2, 1, 2, **SMALL), UNet(2, 3, 5, **SMALL)
    head = target.head.weight.clone()
    report = warm_start(target, saved(source))
    assert report.adapted == ["encoders.0.0.weight"]
    assert report.misfits == ["head.weight", "head.bias"]
    assert report.missing == report.unused == []
    n = len(target.state_dict())
    assert str(report) == f"{n - 3} of {n} tensors taken; 1 adapted (encoders); 2 misfits (head)"
    torch.testing.assert_close(target.head.weight, head)
    assert torch.equal(target.encoders[0][0].bias, source.encoders[0][0].bias)
    grey = torch.rand(1, 1, 44, 44)
    expected = source.encoders[0](grey)
    torch.testing.assert_close(target.encoders[0](grey.expand(-1, 3, -1, -1)), expected)


def test_only_the_encoder_of_another_architecture(saved):
    source = DeepLabV3Plus(2, 1, 8, "mobilenet_v2")
    target = TransferUNet("mobilenet_v2", 3, 2)
    report = warm_start(target, saved(source))
    assert report.adapted == ["encoder.features.0.0.weight"]
    assert {k.split(".")[0] for k in report.taken} == {"encoder"}
    assert len(report.taken) + 1 == len(target.encoder.state_dict())
    assert {k.split(".")[0] for k in report.missing} == {"upsamplers", "decoders"}
    assert {k.split(".")[0] for k in report.unused} == {"low", "aspp", "decoder"}
    assert "missing (upsamplers, decoders)" in str(report)
    torch.testing.assert_close(target.encoder.features[9].conv[2].weight, source.encoder.features[9].conv[2].weight)


def test_half_precision_files_fill_single_precision(tmp_path):
    source, target = UNet(2, 1, 2, **SMALL), UNet(2, 1, 2, **SMALL)
    torch.save({k: v.half() for k, v in source.state_dict().items()}, tmp_path / "model.pt")
    warm_start(target, tmp_path / "model.pt")
    assert target.head.weight.dtype == torch.float32
    torch.testing.assert_close(target.head.weight, source.head.weight.half().float())


def test_refuses_weights_of_which_nothing_fits(saved, tmp_path):
    # the counters of batch normalisation fit everywhere: they are no weights
    torch.save({k: torch.zeros(()) for k in UNet(2, 1, 2, **SMALL).state_dict()}, tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"other\.pt: not one of its .* fits this network \(UNet\)"):
        warm_start(UNet(2, 1, 2, **SMALL), tmp_path / "other.pt")
    counters = {k: v for k, v in TransferUNet("resnet18", 1, 1).state_dict().items() if k.endswith("tracked")}
    torch.save(counters, tmp_path / "counters.pt")
    with pytest.raises(InputError, match="not one of"):
        warm_start(TransferUNet("resnet18", 1, 1), tmp_path / "counters.pt")
    with pytest.raises(InputError, match="no such file"):
        warm_start(UNet(2, 1, 2, **SMALL), tmp_path / "none.pt")
