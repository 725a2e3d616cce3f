import pytest
import torch

from medseg.networks import DeepLabV3Plus, TransferUNet, UNet, UNetPlusPlus


@pytest.mark.parametrize(
    "network",
    [
        UNet(2, 1, 2, channels=(2, 4), padding="same"),
        UNetPlusPlus(2, 1, 1, channels=(2, 4)),
        TransferUNet("mobilenet_v2", 1, 2, (4, 4, 4, 4, 4)),
        DeepLabV3Plus(2, 1, 2, "mobilenet_v2", decoder_channels=(4,)),
    ],
    ids=lambda network: type(network).__name__,
)
def test_a_missing_batch_axis_is_named(network):
    image = torch.rand(1, 32, 32)
    with pytest.raises(ValueError, match=r"input has 3 axes.*takes 4: \(B, C.*image\[None\]"):
        network(image)
    assert network.eval()(image[None]).shape[-2:] == (32, 32)


def test_a_volume_for_a_network_of_sections_is_named():
    with pytest.raises(ValueError, match="has 5 axes, but this network of spatial_dims=2"):
        UNet(2, 1, 2, channels=(2, 4))(torch.rand(1, 1, 20, 20, 20))
