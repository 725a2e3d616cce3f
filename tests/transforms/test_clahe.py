import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from skimage.exposure import equalize_adapthist

from medseg.errors import InputError
from medseg.transforms import CLAHE, CLAHEd


def reference(values):
    low, high = values.min(), values.max()
    return equalize_adapthist((values - low) / (high - low), 8, 0.03, nbins=100)


def test_equals_scikit_image_per_channel_and_per_section():
    image = np.random.default_rng(0).integers(0, 4096, (2, 3, 40, 48)).astype(np.uint16)
    options = {"kernel_size": 8, "clip_limit": 0.03, "nbins": 100}
    volume = CLAHE(**options)(image).numpy()
    sections = CLAHEd("image", **options, spatial_dims=2)({"image": image})["image"].numpy()
    for c in range(2):
        expected = reference(image[c].astype(float))
        np.testing.assert_allclose(volume[c], expected, atol=1e-6)
        for z in range(3):
            expected = reference(image[c, z].astype(float))
            np.testing.assert_allclose(sections[c, z], expected, atol=1e-6)


def test_gain_and_offset_do_not_matter():
    image = np.random.default_rng(1).random((1, 32, 32))
    np.testing.assert_allclose(CLAHE()(image).numpy(), CLAHE()(500 * image - 90).numpy(), atol=1e-4)


def test_constant_image_and_meta():
    img = MetaTensor(torch.full((1, 16, 16), 7), meta={"filename_or_obj": "a.tif"})
    out = CLAHE()(img)
    assert not out.any()
    assert out.meta["filename_or_obj"] == "a.tif"


def test_bad_input_is_named():
    with pytest.raises(InputError, match="clip_limit=2"):
        CLAHE(clip_limit=2)
    with pytest.raises(InputError, match=r"b\.tif has NaN"):
        CLAHE()(MetaTensor(torch.full((1, 8, 8), torch.nan), meta={"filename_or_obj": "b.tif"}))
    with pytest.raises(InputError, match="shape"):
        CLAHE(spatial_dims=3)(np.zeros((1, 8, 8)))


def test_bfloat16():
    image = torch.rand(1, 16, 16).bfloat16()
    assert torch.equal(CLAHE()(image), CLAHE()(image.float()))
