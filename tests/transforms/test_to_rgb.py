import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError, InputWarning
from medseg.transforms import ToRGB, ToRGBd


@pytest.mark.parametrize("spatial", [(4, 5), (2, 4, 5)])
def test_gray_is_repeated_and_colour_stays(spatial):
    gray = torch.arange(np.prod(spatial), dtype=torch.int32).reshape(1, *spatial)
    assert torch.equal(ToRGB()(gray), torch.cat([gray] * 3))
    colour = torch.rand(3, *spatial)
    assert torch.equal(ToRGB()(colour), colour)


def test_keeps_type_and_metadata():
    image = MetaTensor(torch.ones(1, 2, 2, dtype=torch.uint8), meta={"filename_or_obj": "x.tif"})
    out = ToRGBd("image")({"image": image, "other": 1})
    assert (out["image"].dtype, out["image"].meta["filename_or_obj"], out["other"]) == (torch.uint8, "x.tif", 1)
    assert image.shape == (1, 2, 2)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_refuses_stains_that_are_no_colour(channels):
    image = MetaTensor(torch.ones(channels, 2, 2), meta={"filename_or_obj": "stains.tif"})
    with pytest.raises(InputError, match=rf"stains\.tif.* has {channels} channels, this bundle needs gray or RGB"):
        ToRGB()(image)


@pytest.mark.parametrize(
    ("axes", "warns"), [("CYX", True), ("ZCYX", True), ("YXC", False), ("YX", False), (None, False)]
)
def test_planes_taken_for_colours_are_told(axes, warns, recwarn):
    meta = {"filename_or_obj": "x.tif"} | ({"axes": axes} if axes else {})
    ToRGB()(MetaTensor(torch.rand(3, 4, 5), meta=meta))
    ToRGB()(MetaTensor(torch.ones(3, 4, 5), meta=meta))  # gray saved as three planes
    told = [str(w.message) for w in recwarn if w.category is InputWarning]
    assert len(told) == warns
    assert all("three channels of x.tif were taken for red, green and blue" in line for line in told)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_into_the_result_stays_there(channels):
    image = torch.rand(channels, 3, 4)
    before = image.clone()
    result = ToRGB()(image)
    result[0] = 7
    assert torch.equal(torch.as_tensor(image), before)
    assert float(result[1:].max()) < 7
