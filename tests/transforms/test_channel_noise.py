import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import RandChannelNoise, RandChannelNoised

GRAY = torch.full((3, 64, 64), 0.5)


def noisy_images(count: int = 300, **options):
    noise = RandChannelNoise(**options).set_random_state(seed=0)
    return torch.stack([noise(GRAY) for _ in range(count)]) - GRAY


def test_the_share_asked_for_is_alike_in_all_channels():
    added = noisy_images(prob=1.0, std=0.2, alike=0.7)
    alike = (added == added[:, :1]).flatten(1).all(1)
    assert 0.6 < alike.float().mean() < 0.8
    first, second = added[~alike][:, 0].flatten(1), added[~alike][:, 1].flatten(1)
    assert (torch.cosine_similarity(first, second).abs() < 0.1).all()  # independent of each other


def test_deviations_reach_from_0_to_the_greatest_around_a_mean_of_0():
    added = noisy_images(prob=1.0, std=0.2, alike=1.0)[:, 0].flatten(1)
    deviations = added.std(1)
    assert 0 < deviations.min() < 0.01
    assert 0.19 < deviations.max() < 0.21
    assert 0.09 < deviations.mean() < 0.11
    assert (added.mean(1).abs() < 5 * deviations / 64).all()


def test_only_so_many_images_get_noise():
    added = noisy_images(prob=0.25, std=0.2)
    assert 0.18 < added.flatten(1).any(1).float().mean() < 0.32
    assert not noisy_images(10, prob=0.0).any()


@pytest.mark.parametrize("image", [np.zeros((1, 4, 5), np.float64), MetaTensor(torch.zeros(2, 3, 4, 5))])
def test_types_and_the_image_itself_stay(image):
    out = RandChannelNoise(prob=1.0)(image)
    assert not image.any()
    assert isinstance(out, MetaTensor)
    assert out.shape == image.shape
    assert out.dtype == torch.float32
    assert out.any()


def test_one_seed_one_result():
    data = {"image": GRAY, "other": GRAY}
    first, second = (RandChannelNoised("image", prob=1.0).set_random_state(seed=3) for _ in range(2))
    one, two = first(data), second(data)
    assert torch.equal(one["image"], two["image"])
    assert not torch.equal(one["image"], first(data)["image"])
    assert one["other"] is GRAY
    array = RandChannelNoise(prob=1.0).set_random_state(seed=3)
    assert torch.equal(array(GRAY), one["image"])


@pytest.mark.parametrize("options", [{"prob": 1.5}, {"alike": -0.1}, {"std": -1.0}, {"std": float("nan")}])
def test_numbers_that_cannot_be(options):
    with pytest.raises(InputError, match=next(iter(options))):
        RandChannelNoise(**options)
