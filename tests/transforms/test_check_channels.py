import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import CheckChannelsd


def image(*shape) -> MetaTensor:
    return MetaTensor(torch.zeros(shape), meta={"filename_or_obj": "some/x.tif", "spatial_shape": np.array(shape[1:])})


@pytest.mark.parametrize("shape", [(1, 4, 5), (1, 2, 4, 5), (1, 1, 1)])
def test_gray_passes_unchanged(shape):
    data = {"image": image(*shape), "other": 1}
    out = CheckChannelsd("image", 1)(data)
    assert out == data
    assert out["image"] is data["image"]


def test_gray_saved_as_rgb_is_gray():
    rgb = image(3, 4, 5) + torch.arange(20).reshape(4, 5)
    out = CheckChannelsd("image", 1)({"image": rgb})["image"]
    assert torch.equal(out, rgb[1:2])
    assert out.meta["filename_or_obj"] == "some/x.tif"


def test_colour_is_refused_with_the_file_and_what_to_do():
    colour = image(3, 4, 5)
    colour[2, 3, 3] = 1
    with pytest.raises(InputError, match=r"of some/x\.tif has 3 channels, this bundle needs gray.*--channel.*--axes"):
        CheckChannelsd("image", 1)({"image": colour})
    with pytest.raises(InputError, match="has 1 channels, this bundle needs 3 channels"):
        CheckChannelsd("image", 3)({"image": torch.zeros(1, 4, 5)})


def test_too_few_axes():
    with pytest.raises(InputError, match="no 3 spatial axes"):
        CheckChannelsd("image", 1, spatial_dims=3)({"image": image(1, 4, 5)})
