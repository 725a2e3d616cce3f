import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Spacing

from medseg.transforms import SmoothBeforeResamplingd
from medseg.transforms.smooth_before_resampling import smoothing_sigmas


def test_only_axes_that_become_much_coarser():
    assert smoothing_sigmas((1, 2.5, 4), (4, 2.5, 2)) == [1.5, 0, 0]
    assert smoothing_sigmas((3,), (4,)) == [0]


def test_noise_averages_out_where_plain_resampling_keeps_it():
    noise = np.random.default_rng(0).normal(0, 100, (1, 48, 48, 12)).astype(np.float32)
    image = MetaTensor(torch.from_numpy(noise), affine=torch.diag(torch.tensor([1.0, 1, 4, 1])))
    smooth = SmoothBeforeResamplingd("image", (4, 4, 4))({"image": image})["image"]
    assert torch.equal(smooth.affine, image.affine)
    coarse = [Spacing((4.0, 4.0, 4.0))(x) for x in (image, smooth)]
    assert coarse[0].shape == coarse[1].shape
    assert float(coarse[1].std()) < 0.4 * float(coarse[0].std())
    assert float(coarse[1].mean()) == pytest.approx(float(image.mean()), abs=3)


def test_fine_images_pass_unchanged():
    image = MetaTensor(torch.rand(1, 6, 6, 6), affine=torch.eye(4))
    assert SmoothBeforeResamplingd("image", (1.2, 1.2, 1.2))({"image": image})["image"] is image
