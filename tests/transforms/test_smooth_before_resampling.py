import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.networks.layers import gaussian_1d, separable_filtering
from monai.transforms import Spacing

from medseg.errors import InputError
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


def test_axes_that_stay_as_they_are_are_not_smoothed():
    layers = torch.from_numpy(np.random.default_rng(0).random(12).astype(np.float32)).expand(1, 9, 9, 12)
    image = MetaTensor(layers.clone(), affine=torch.diag(torch.tensor([1.0, 1, 4, 1])))
    smooth = SmoothBeforeResamplingd("image", (4, 4, 4))({"image": image})["image"]
    torch.testing.assert_close(smooth.as_tensor(), layers)


def test_fine_images_pass_unchanged():
    image = MetaTensor(torch.rand(1, 6, 6, 6), affine=torch.eye(4))
    assert SmoothBeforeResamplingd("image", (1.2, 1.2, 1.2))({"image": image})["image"] is image


@pytest.mark.parametrize("dtype", [torch.int16, torch.float16, torch.float32, torch.float64])
def test_the_smooth_image_is_not_rounded_to_the_type_of_the_image(dtype):
    image = MetaTensor(torch.arange(8, dtype=dtype).expand(1, 8, 8, 8), affine=torch.eye(4))
    smooth = SmoothBeforeResamplingd("image", (2, 1, 2))({"image": image})["image"]
    exact = SmoothBeforeResamplingd("image", (2, 1, 2))({"image": image.float()})["image"]
    torch.testing.assert_close(smooth, exact)
    assert smooth.dtype == torch.float32


def test_a_constant_stays_at_the_border():
    image = MetaTensor(torch.full((1, 12, 10, 3), -1000.0), affine=torch.diag(torch.tensor([0.5, 0.5, 1, 1])))
    smooth = SmoothBeforeResamplingd("image", (4, 4, 4))({"image": image})["image"]
    torch.testing.assert_close(smooth.as_tensor(), image.as_tensor())


@pytest.mark.parametrize("image", [torch.rand(1, 6, 6, 6), MetaTensor(torch.rand(1, 6, 6), affine=torch.eye(3))])
def test_an_image_without_voxel_size_or_axes_is_refused(image):
    with pytest.raises(InputError, match=r"'image' has (no voxel size|2 axes); give a MetaTensor of 3 spatial axes"):
        SmoothBeforeResamplingd("image", (4, 4, 4))({"image": image})


def test_it_is_monais_filter():
    image = MetaTensor(torch.rand(1, 96, 80, 40), affine=torch.diag(torch.tensor([1.0, 0.5, 2.5, 1])))
    smooth = SmoothBeforeResamplingd("image", (4, 4, 2.5))({"image": image})["image"].as_tensor()
    kernels = [gaussian_1d(torch.tensor(s), 3.0, normalize=True) for s in (1.5, 3.5)] + [torch.ones(1)]
    expected = separable_filtering(image.as_tensor()[None], kernels, mode="replicate")[0]
    torch.testing.assert_close(smooth, expected)
