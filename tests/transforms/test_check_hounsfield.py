import warnings

import numpy as np
import pytest
import torch

from medseg.errors import InputError, InputWarning
from medseg.transforms import CheckHounsfieldd
from medseg.transforms.check_hounsfield import why_not_hounsfield


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0, 255, "gray picture"),
        (0, 1, "scaled to 0-1"),
        (0, 4095, "offset"),
        (-12, 3071, "offset"),
        (-1000, -1000, "nothing in it"),
        (-1024, 3071, None),
        (-160, 240, None),
    ],
)
def test_ranges(low, high, says):
    reason = why_not_hounsfield(low, high)
    assert reason is None if says is None else says in reason


def test_a_picture_is_warned_of_and_passes():
    picture = torch.tensor([[0.0, 255.0]])
    with pytest.warns(InputWarning, match="image: values from 0 to 255"):
        assert CheckHounsfieldd("image")({"image": picture})["image"] is picture
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CheckHounsfieldd("image")({"image": torch.tensor([[-1000.0, 900.0]])})


def test_values_as_a_scanner_stores_them():
    stored = np.array([[0, 4095]], np.uint16)
    with pytest.warns(InputWarning, match="image: values from 0 to 4095: no air at -1000"):
        assert CheckHounsfieldd("image")({"image": stored})["image"] is stored


def test_padding_does_not_hide_a_missing_offset():
    padded = torch.tensor([[-2000.0, 0.0, 1024.0, 2500.0]])
    with pytest.warns(InputWarning, match="values from 0 to 2500: no air at -1000"):
        CheckHounsfieldd("image")({"image": padded})


def test_an_image_below_the_window_is_refused():
    air = torch.tensor([[-1000.0, -300.0]])
    with pytest.raises(InputError, match=r"image: no voxel above -300 HU \(the highest is -300\)"):
        CheckHounsfieldd("image", window=[50, 700])({"image": air})
    CheckHounsfieldd("image", window="lung")({"image": air})
    CheckHounsfieldd("image")({"image": air})


def test_a_flipped_view_passes():
    image = np.linspace(-1000, 1000, 8, dtype=np.float32).reshape(1, 2, 2, 2)[:, ::-1]
    assert CheckHounsfieldd("image")({"image": image})["image"] is image
