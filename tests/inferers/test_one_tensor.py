import pytest
import torch
from monai.inferers import SimpleInferer

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
