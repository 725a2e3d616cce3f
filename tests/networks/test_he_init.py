import pytest
import torch
from torch import nn

from medseg.networks.he_init import he_normal_


@pytest.mark.parametrize(
    ("conv", "incoming"),
    [
        (nn.Conv2d(64, 256, 3), 9 * 64),
        (nn.Conv2d(4096, 4096, 3, groups=4096), 9),
        (nn.Conv3d(16, 256, 3, bias=False), 27 * 16),
        (nn.ConvTranspose2d(128, 64, 2, stride=2), 128),
        (nn.ConvTranspose3d(128, 64, 2, stride=2), 128),
    ],
)
def test_standard_deviation(conv, incoming):
    torch.manual_seed(0)
    he_normal_(nn.Sequential(conv))
    assert conv.weight.std().item() == pytest.approx((2 / incoming) ** 0.5, rel=0.03)
    assert conv.bias is None or not conv.bias.any()


def test_depthwise_chains_keep_their_size():
    torch.manual_seed(0)
    layers = [m for _ in range(10) for m in (nn.Conv2d(64, 64, 5, padding=2, groups=64), nn.ReLU())]
    network = nn.Sequential(*layers)
    he_normal_(network)
    x = torch.randn(4, 64, 16, 16)
    assert 0.1 < network(x).square().mean().sqrt() < 10
