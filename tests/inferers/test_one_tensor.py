import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from medseg.inferers import (
    OverlapTileInferer,
    RescaledInferer,
    SliceBySliceInferer,
    TestTimeAugmentationInferer,
)
from medseg.networks import UNetPlusPlus

INFERERS = [
    OverlapTileInferer((8, 8)),
    RescaledInferer(SimpleInferer(), 0.5),
    SliceBySliceInferer(),
    TestTimeAugmentationInferer(),
]


@pytest.mark.parametrize("inferer", INFERERS, ids=lambda inferer: type(inferer).__name__)
def test_a_network_that_returns_several_heads_is_named(inferer):
    slices = isinstance(inferer, SliceBySliceInferer)
    network = UNetPlusPlus(2, 3 if slices else 1, 1, channels=(2, 4, 8))  # in training mode
    image = torch.rand(1, 1, 8, 8, 2) if slices else torch.rand(1, 1, 8, 8)
    with pytest.raises(ValueError, match=r"returned a list, not one tensor of logits: call its eval\(\) first"):
        inferer(image, network)


class _Crop(nn.Module):
    """Loses ``lost`` pixels on each side."""

    def __init__(self, lost):
        super().__init__()
        self.lost = lost

    def forward(self, x):
        return x[..., self.lost : -self.lost, self.lost : -self.lost]


def test_output_of_another_size_is_refused_not_misplaced():
    image = torch.rand(1, 1, 40, 40)
    with pytest.raises(ValueError, match="true margin of the network, not 6"):
        OverlapTileInferer((24, 24), margin=6, stride=1, valid_size=int)(image, _Crop(2))
    with pytest.raises(ValueError, match="true margin of the network, not 0"):
        OverlapTileInferer((24, 24), margin=0, stride=1, valid_size=int, context=4)(image, nn.Upsample(scale_factor=2))
    with pytest.raises(ValueError, match="by OverlapTileInferer"):
        RescaledInferer(SimpleInferer(), 0.5)(image, _Crop(2))
    with pytest.raises(ValueError, match="padded convolutions"):
        SliceBySliceInferer((0,))(torch.rand(1, 1, 33, 33, 2), _Crop(2))


def test_valid_size_of_a_network_with_one_size_is_refused():
    with pytest.raises(ValueError, match=r"valid_size\(40\) is 32"):
        OverlapTileInferer((32, 32), margin=0, stride=32, valid_size=lambda n: 32)(torch.rand(1, 1, 40, 40), nn.ReLU())
