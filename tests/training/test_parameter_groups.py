import pytest
import torch
from torch import nn

from medseg.networks import TransferUNet, UNet
from medseg.training import parameter_groups

SLIM = {"decoder_channels": (4,) * 5}


def test_every_parameter_once_with_its_rate():
    network = TransferUNet("resnet18", 1, 2, **SLIM)
    rest, encoder = parameter_groups(network, 1e-2, encoder_lr_scale=0.1)
    assert (rest["lr"], encoder["lr"]) == (1e-2, pytest.approx(1e-3))
    assert {id(p) for p in encoder["params"]} == {id(p) for p in network.encoder.parameters()}
    found = [id(p) for group in (rest, encoder) for p in group["params"]]
    assert sorted(found) == sorted(id(p) for p in network.parameters())


def test_wrapped_networks():
    network = TransferUNet("resnet18", 1, 2, **SLIM)
    assert len(parameter_groups(nn.DataParallel(network), 1.0)[1]["params"]) == len(list(network.encoder.parameters()))


def test_poly_schedule_of_deeplab_on_both_groups():
    """torch's own schedule is the paper's base (1 - t / T) ** 0.9 and keeps the ratio of the groups."""
    optimizer = torch.optim.SGD(parameter_groups(TransferUNet("resnet18", 1, 2, **SLIM), 0.007, 0.1))
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=50, power=0.9)
    for step in range(50):
        poly = (1 - step / 50) ** 0.9
        assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.007 * poly, 0.0007 * poly])
        optimizer.step()
        schedule.step()


def test_refuses():
    with pytest.raises(ValueError, match="UNet has no encoder"):
        parameter_groups(UNet(2, 1, 1, channels=(2, 2)), 1.0)
    with pytest.raises(ValueError, match="must be positive"):
        parameter_groups(TransferUNet("resnet18", 1, 2, **SLIM), 1.0, 0)
