"""Patches of sections drawn around objects."""

import pytest
import torch

pytestmark = pytest.mark.usefixtures("benchmark_path")


def _drawn(label, share):
    from device_patches.random_intensity import RandomIntensity
    from device_patches.random_warp import RandomWarp
    from device_patches.sections import Sections

    torch.manual_seed(0)
    items = [{"image": torch.zeros(1, 128, 256), "label": label}]
    settings = {"size": 32, "batch": 64, "warp": RandomWarp(still=1.0), "intensity": RandomIntensity()}
    return Sections(items, torch.device("cpu"), at_objects=share, **settings).draw()["label"]


def test_an_object_in_a_corner_is_in_each_patch_that_is_drawn_around_objects():
    label = torch.zeros(1, 128, 256, dtype=torch.uint8)
    label[:, :4, :4] = 1
    middles = slice(7, 25)  # a quarter of the side, and the object may lie there as well
    at_objects, half, anywhere = (_drawn(label, share)[:, 0, middles, middles].amax((1, 2)) for share in (1, 0.5, 0))
    assert at_objects.sum() == 64
    assert 16 < half.sum() < 48
    assert anywhere.sum() < 8


def test_images_without_objects_are_drawn_from_all_the_same():
    assert _drawn(torch.zeros(1, 128, 256, dtype=torch.uint8), 1.0).shape == (64, 1, 32, 32)
