"""Patches that are drawn on the device: each piece against what it stands for."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from medseg.errors import InputError

pytestmark = pytest.mark.usefixtures("benchmark_path")


def _pool(images, outside="reflect"):
    from device_patches.image_pool import ImagePool

    return ImagePool(images, "cpu", outside)


@pytest.mark.parametrize("shape", [(7, 5), (4, 6, 5)])
@pytest.mark.parametrize("outside", ["reflect", "border"])
def test_pool_reads_as_scipy_does(shape, outside):
    torch.manual_seed(0)
    images = [torch.rand(2, *shape), torch.rand(2, *[n + 1 for n in shape])]
    index = torch.tensor([1, 0, 1])
    points = 12 * torch.rand(3, 4, 3, len(shape)) - 3
    points = points[:, :, :, None] if len(shape) == 3 else points
    found = _pool(images, outside).read(index, points)
    assert found.shape == (3, 2, *points.shape[1:-1])
    mode = {"reflect": "grid-mirror", "border": "nearest"}[outside]
    for item in range(3):
        for channel in range(2):
            image = images[index[item]][channel].numpy()
            expected = map_coordinates(
                image, points[item].numpy().transpose(-1, *range(points.ndim - 2)), order=1, mode=mode
            )
            np.testing.assert_allclose(found[item, channel], expected, atol=1e-5)


def test_pool_knows_nothing_outside():
    found = _pool([torch.ones(1, 4, 4)], "zeros").read(torch.tensor([0]), torch.tensor([[[-1.0, 1], [3.4, 3], [1, 4]]]))
    assert found.flatten().tolist() == [0, 1, 0]


def test_pool_reads_neighbouring_slices_and_stays_in_the_volume():
    volumes = [torch.rand(1, 3, 4, 5), torch.rand(1, 2, 3, 3)]
    points = torch.tensor([[[1.0, 2.0]], [[0.0, 1.0]]])
    slices = torch.tensor([[-1, 1, 2], [1, 2, 9]])
    found = _pool(volumes).read_slices(torch.tensor([0, 1]), slices, points, linear=False)
    assert torch.equal(found[0, :, 0], volumes[0][0, [0, 1, 2], 1, 2])
    assert torch.equal(found[1, :, 0], volumes[1][0, [1, 1, 1], 0, 1])


@pytest.mark.parametrize("size", [(5, 6), (3, 5, 4)])
def test_warp_of_nothing_reads_the_patch_itself(size):
    from device_patches.random_warp import RandomWarp

    image = torch.rand(1, *[n + 4 for n in size])
    centre = torch.tensor([[(n + 4 - 1) / 2 for n in size]])
    points = RandomWarp().points(centre, size)
    inner = image[(slice(None), *[slice(2, -2)] * len(size))]
    torch.testing.assert_close(_pool([image]).read(torch.tensor([0]), points)[0], inner)


def test_warp_keeps_to_its_ranges():
    from device_patches.random_warp import RandomWarp

    torch.manual_seed(0)
    warp = RandomWarp(zoom=(0.5, 2.0), rotate=math.pi, quarter_turns=True)
    points = warp.points(torch.zeros(500, 2), (3, 3))
    steps = (points[:, 1, 2] - points[:, 1, 1]).norm(dim=-1)
    torch.testing.assert_close(steps, (points[:, 2, 1] - points[:, 1, 1]).norm(dim=-1))
    assert 0.5 - 1e-5 <= steps.min() < 0.55
    assert 1.8 < steps.max() <= 2.0 + 1e-5
    down, right = points[:, 2, 1] - points[:, 1, 1], points[:, 1, 2] - points[:, 1, 1]
    mirrored = (down[:, 0] * right[:, 1] - down[:, 1] * right[:, 0]) < 0
    assert 0.4 < mirrored.float().mean() < 0.6


@pytest.mark.parametrize("size", [(4, 4), (3, 4, 4)])
def test_still_patches_are_pixels_of_the_image(size):
    from device_patches.random_warp import RandomWarp

    torch.manual_seed(0)
    warp = RandomWarp((0.5, 2.0), 1.0, 0.2, 1.0, tilt=0.2, quarter_turns=True, shear=0.1, elastic=2.0, still=0.75)
    points = warp.points(50 + torch.rand(400, len(size)), size).flatten(1, -2)
    whole = (points == points.round()).all(-1).all(-1)
    assert 0.65 < whole.float().mean() < 0.85
    spans = points.amax(1) - points.amin(1)
    assert (spans[whole] == torch.tensor(size) - 1).all()
    assert ((spans[~whole] - torch.tensor(size) + 1).abs() > 1e-3).any(1).all()


def test_elastic_displacement_has_the_deviation_asked_for_at_its_control_points():
    from device_patches.random_warp import RandomWarp

    torch.manual_seed(0)
    warp = RandomWarp(elastic=3.0, elastic_prob=1.0, control_points=3)
    points = warp.points(torch.zeros(4000, 2), (9, 9))
    still = RandomWarp().points(torch.zeros(1, 2), (9, 9))
    assert abs((points - still)[:, ::4, ::4].std().item() - 3.0) < 0.05


def test_intensity_of_nothing_changes_nothing_and_images_differ():
    from device_patches.random_intensity import RandomIntensity

    torch.manual_seed(0)
    image = torch.rand(1, 3, 8, 8).expand(16, -1, -1, -1)
    assert torch.equal(RandomIntensity()(image), image)
    changed = RandomIntensity(0.4, 1.0, 0.1, (0.6, 1.7), 1.0, 5, 1.0, 0.1, 1.0, 0.5, 0.5)(image)
    assert changed.isfinite().all()
    assert changed.flatten(1).std(0).min() > 0
    gray = RandomIntensity(mix=1.0)(image)
    assert gray.isfinite().all()
    assert (gray >= 0).all()


def test_exponents_keep_the_range_where_asked_for():
    from device_patches.random_intensity import RandomIntensity

    torch.manual_seed(0)
    image = torch.linspace(-0.1, 1.1, 25)[:, None].expand(25, 4).expand(200, 1, -1, -1)
    bent = RandomIntensity(gamma=(0.5, 2.0), gamma_prob=1.0, gamma_in_range=True)(image)
    assert (bent.amin((1, 2, 3)) == 0).all()
    assert (bent.amax((1, 2, 3)) == 1).all()
    exponents = bent[:, 0, 12, 0].log() / image[:, 0, 12, 0].log()
    assert 0.5 <= exponents.min() < 0.6
    assert 1.8 < exponents.max() <= 2.0
    torch.testing.assert_close(bent[:, 0, 7, 0], image[:, 0, 7, 0] ** exponents)


@pytest.mark.parametrize("size", [(9, 12), (5, 6, 4)])
def test_shading_is_a_plane_that_leaves_the_centre(size):
    from device_patches.random_intensity import RandomIntensity

    torch.manual_seed(0)
    shaded = RandomIntensity(shade=0.5, shade_prob=1.0)(torch.ones(300, 2, *size))
    flat = shaded.flatten(1)
    assert 0.5 <= flat.min() < 0.55
    assert 1.45 < flat.max() <= 1.5
    torch.testing.assert_close(flat.mean(1), torch.ones(300))
    assert torch.equal(shaded[:, 0], shaded[:, 1])
    for axis in range(2, shaded.ndim):
        steps = shaded.diff(dim=axis)
        torch.testing.assert_close(steps, steps.select(axis, 0).unsqueeze(axis).expand_as(steps), atol=1e-5, rtol=0)
    untouched = RandomIntensity(shade=0.5, shade_prob=0.25)(torch.ones(400, 1, *size)).flatten(1).std(1) == 0
    assert 0.65 < untouched.float().mean() < 0.85


@pytest.mark.parametrize("flat", [True, False])
def test_mirrored_organs_change_sides(flat):
    from device_patches.organs import Organs
    from device_patches.random_intensity import RandomIntensity
    from device_patches.random_warp import RandomWarp

    torch.manual_seed(0)
    image = torch.linspace(0.1, 1, 12)[None, :, None, None].expand(1, 12, 10, 6).clone()
    label = torch.zeros(1, 12, 10, 6, dtype=torch.uint8)
    label[:, :4], label[:, 8:] = 1, 2
    draw = Organs(
        [{"image": image, "label": label}],
        torch.device("cpu"),
        size=(9, 9) if flat else (5, 9, 9),
        batch=32,
        warp=RandomWarp(),
        intensity=RandomIntensity(),
        ratios=[0, 1, 1],
        pairs=[[1, 2]],
        shift=0.0,
        offsets=[-1, 0, 1] if flat else None,
    )
    images, labels = draw()
    assert images.shape == ((32, 3, 9, 9) if flat else (32, 1, 9, 9, 5))
    assert labels.shape[1] == 1
    rising = images.flatten(3).mean(-1)[:, 0]
    turned = rising[:, -1] < rising[:, 0]
    assert 4 < turned.sum() < 28
    brightness = torch.where(turned.reshape(-1, 1), rising.flip(1), rising)
    names = labels[:, 0].flatten(2).float().mean(-1)
    names = torch.where(turned.reshape(-1, 1), names.flip(1), names)
    left, right = (torch.where(turned, value, other) for value, other in ((2.0, 1.0), (1.0, 2.0)))
    assert torch.equal(names[brightness < 0.3], left[:, None].expand_as(names)[brightness < 0.3])
    assert torch.equal(names[brightness > 0.8], right[:, None].expand_as(names)[brightness > 0.8])


def test_an_organ_in_no_volume_is_named():
    from device_patches.organs import Organs

    volume = {"image": torch.ones(1, 4, 4, 4), "label": torch.zeros(1, 4, 4, 4, dtype=torch.uint8)}
    settings = {"size": (3, 3), "batch": 1, "warp": None, "intensity": None, "pairs": [[3, 4]], "shift": 0.0}
    with pytest.raises(InputError, match="organ 1: in none of the 1 volumes"):
        Organs([volume], torch.device("cpu"), ratios=[1, 1], **settings)


def test_crowded_and_large_images_are_drawn_more_often():
    from device_patches.items import crowding

    alone, crowded = torch.ones(1, 8, 8, dtype=torch.half), torch.full((1, 8, 8), 1.24, dtype=torch.half)
    assert crowding(alone) == pytest.approx(8 * 0.06)
    assert crowding(crowded) == pytest.approx(8 * 0.3, rel=1e-2)
    assert crowding(torch.ones(1, 16, 16)) == pytest.approx(2 * crowding(alone))


def test_a_bundle_without_a_recipe_is_refused():
    from device_patches.recipes import drawing

    with pytest.raises(InputError, match="chest_ct_unet_transfer: no patches are known for it, only for em_membrane"):
        drawing("chest_ct_unet_transfer", None, [], torch.device("cpu"), 1, 64)
