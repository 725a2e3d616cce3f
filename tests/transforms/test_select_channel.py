import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import SelectChanneld


def stains() -> MetaTensor:
    return MetaTensor(torch.arange(12.0).reshape(3, 2, 2), meta={"filename_or_obj": "stains.tif"})


def test_one_channel_or_all():
    data = {"image": stains(), "other": 1}
    out = SelectChanneld("image", 2)(data)
    assert out["image"].tolist() == [[[8, 9], [10, 11]]]
    assert (out["image"].meta["filename_or_obj"], out["other"]) == ("stains.tif", 1)
    assert SelectChanneld("image")(data)["image"] is data["image"]


def test_the_other_channels_are_not_kept_in_memory():
    tensor = SelectChanneld("image", 1)({"image": stains()})["image"]
    array = SelectChanneld("image", 1)({"image": stains().numpy()})["image"]
    assert tensor.untyped_storage().nbytes() == 4 * tensor.numel()
    assert array.base is None
    assert array.tolist() == tensor.tolist() == [[[4, 5], [6, 7]]]


@pytest.mark.parametrize("channel", [3, -1])
def test_a_channel_that_is_not_there_is_named(channel):
    with pytest.raises(InputError, match=rf"of stains\.tif has no channel {channel}: it has 3, counted from 0 to 2"):
        SelectChanneld("image", channel)({"image": stains()})
