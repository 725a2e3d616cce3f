import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from monai.transforms import Zoom
from torch import nn

from medseg.inferers import OverlapTileInferer, RescaledInferer
from medseg.networks import UNet


@pytest.mark.parametrize("shape", [(40, 40), (41, 57), (2, 30, 31)])
def test_the_network_sees_what_zoom_makes_in_training(shape):
    image, seen = torch.rand(1, *shape), []
    dims = len(shape)
    RescaledInferer(SimpleInferer(), 0.5, dims)(image[None], lambda x: seen.append(x) or x)
    torch.testing.assert_close(seen[0][0], Zoom(0.5, mode="area", keep_size=False)(image).as_tensor())


def test_smooth_images_come_back():
    y, x = torch.meshgrid(torch.linspace(0, 1, 63), torch.linspace(0, 2, 90), indexing="ij")
    image = (y + x)[None, None]
    back = RescaledInferer(SimpleInferer(), 0.5)(image, nn.Identity())
    assert back.shape == image.shape
    torch.testing.assert_close(back[..., 2:-2, 2:-2], image[..., 2:-2, 2:-2], atol=0.02, rtol=0)


@pytest.mark.parametrize("shape", [(40, 40), (41, 57), (10, 12, 14)])
def test_enlarged_and_back(shape):
    dims, seen = len(shape), []
    image = torch.stack(torch.meshgrid(*(torch.linspace(0, 1, n) for n in shape), indexing="ij")).sum(0)[None, None]
    back = RescaledInferer(SimpleInferer(), 1.75, dims)(image, lambda x: seen.append(x.shape[2:]) or x)
    assert tuple(seen[0]) == tuple(int(n * 1.75) for n in shape)
    inside = (..., *(slice(2, -2),) * dims)
    torch.testing.assert_close(back[inside], image[inside], atol=0.01, rtol=0)


def test_zoom_1_changes_nothing():
    image = torch.rand(2, 1, 5, 7)
    torch.testing.assert_close(RescaledInferer(SimpleInferer(), 1)(image, nn.Identity()), image, rtol=0, atol=0)


def test_stacks_of_sections_channels_and_meta():
    network = UNet(2, 1, 3, (2, 4)).eval()
    image = MetaTensor(torch.rand(2, 1, 4, 31, 42), meta={"filename_or_obj": "a.tif"})
    inferer = RescaledInferer(OverlapTileInferer((40, 40)), 0.5)
    with torch.inference_mode():
        output = inferer(image, network)
        alone = inferer(image[1:, :, 2].as_tensor(), network)
    assert output.shape == (2, 3, 4, 31, 42)
    assert output.meta["filename_or_obj"] == "a.tif"
    torch.testing.assert_close(output[1:, :, 2].as_tensor(), alone)


def test_one_pixel():
    assert RescaledInferer(SimpleInferer(), 0.5)(torch.ones(1, 1, 1, 1), nn.Identity()).item() == 1


def test_progress_reaches_the_inferer_inside():
    inner, told = OverlapTileInferer((30, 30)), []
    inferer = RescaledInferer(inner, 0.5)
    inferer.progress = lambda done, count: told.append((done, count))
    with torch.inference_mode():
        inferer(torch.rand(1, 1, 40, 40), UNet(2, 1, 1, (2, 4)).eval())
    assert told[-1][0] == told[-1][1] == len(told)
    assert RescaledInferer(SimpleInferer(), 0.5).progress is None


@pytest.mark.parametrize("zoom", [0, float("inf"), -1])
def test_zoom_out_of_range(zoom):
    with pytest.raises(ValueError, match=f"zoom {zoom}"):
        RescaledInferer(SimpleInferer(), zoom)


def test_spatial_dims():
    with pytest.raises(ValueError, match="spatial_dims"):
        RescaledInferer(SimpleInferer(), 0.5, spatial_dims=4)
