import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage
from skimage.io import imsave

from medseg.errors import InputError, InputWarning
from medseg.io import Geometry, write_image
from medseg.io.monai_io import MicroscopyReader
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


def _colours_and_gray(folder, shape, write):
    for name, values in (("colours", np.arange(60)), ("gray", np.full(60, 9))):  # the latter is gray saved as RGB
        write(folder / name, values.astype(np.uint8).reshape(shape))
    for path in sorted(folder.iterdir()):
        ToRGB()(LoadImage(reader=MicroscopyReader())(path))


def test_planes_taken_for_colours_are_told(tmp_path):
    with pytest.warns(InputWarning, match="three channels of .*colours.tif were taken for red, green and") as told:
        _colours_and_gray(tmp_path, (3, 4, 5), lambda path, image: write_image(f"{path}.tif", image, Geometry("CYX")))
    assert len(told) == 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.filterwarnings("error")
def test_colours_of_each_pixel_are_no_stains(tmp_path, suffix):
    _colours_and_gray(tmp_path, (5, 4, 3), lambda path, image: imsave(f"{path}{suffix}", image, check_contrast=False))


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_into_the_result_stays_there(channels):
    image = torch.rand(channels, 3, 4)
    before = image.clone()
    result = ToRGB()(image)
    result[0] = 7
    assert torch.equal(torch.as_tensor(image), before)
    assert float(result[1:].max()) < 7
