import numpy as np
import pytest

from medseg.errors import InputError
from medseg.transforms import HUWindow, HUWindowd
from medseg.transforms.hu_window import HU_WINDOWS


@pytest.mark.parametrize("name", HU_WINDOWS)
def test_the_window_becomes_zero_to_one(name):
    level, width = HU_WINDOWS[name]
    image = np.array([[level - width, level - width / 2, level, level + width / 2, level + width]])
    np.testing.assert_allclose(HUWindow(name)(image).numpy(), [[0, 0, 0.5, 1, 1]], atol=1e-6)
    np.testing.assert_allclose(HUWindow(name, clip=False)(image).numpy(), [[-0.5, 0, 0.5, 1, 1.5]], atol=1e-6)


def test_level_and_width_and_dictionary():
    image = np.array([[-50, 0, 50]], np.int16)
    out = HUWindowd("image", (0, 100))({"image": image, "label": 1})
    assert out["image"].numpy().dtype == np.float32
    np.testing.assert_allclose(out["image"].numpy(), [[0, 0.5, 1]])
    assert out["label"] == 1


@pytest.mark.parametrize("window", ["lungs", (40,), (40, 0), (40, float("nan")), (1, 2, 3)])
def test_bad_windows_are_named(window):
    with pytest.raises(InputError, match="HUWindow: window="):
        HUWindow(window)
