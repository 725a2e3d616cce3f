"""Patches that are drawn on the device: each piece against what it stands for."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch.optim.swa_utils import AveragedModel

from data_tools.synth.dataset import write_synthetic
from medseg.errors import InputError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
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


def test_the_average_follows_weights_and_statistics(benchmark):
    towards = benchmark("timed_training").towards
    network = torch.nn.BatchNorm1d(1)
    average = AveragedModel(network, multi_avg_fn=towards, use_buffers=True)
    for value in (1.0, 2.0):
        torch.nn.init.constant_(network.weight, value)
        network.running_var.fill_(10 * value)
        network.num_batches_tracked.fill_(int(value))
        average.update_parameters(network)
    share = 1 - 2 / 11  # of the second of two updates
    torch.testing.assert_close(average.module.weight.data, torch.tensor([1 + share]))
    torch.testing.assert_close(average.module.running_var, torch.tensor([10 + 10 * share]))
    assert average.module.num_batches_tracked == 2


def test_processes_share_gradients_and_end_together(tmp_path):
    script = tmp_path / "share.py"
    script.write_text(
        "import torch\n"
        "from processes import join_processes, leave_processes, of_first, same_start, share_gradients\n"
        "rank, count = join_processes()\n"
        "network = torch.nn.ModuleList([torch.nn.Linear(3, 2), torch.nn.Linear(1, 1)])\n"
        "network[0].weight.data.fill_(rank + 3.0)\n"
        "same_start(network)\n"
        "assert torch.equal(network[0].weight.data, torch.full((2, 3), 3.0))\n"
        "network[0].weight.grad = torch.full((2, 3), float(rank))\n"
        "if rank == 0: network[0].bias.grad = torch.tensor([2.0, 4.0])\n"
        "share_gradients(network)\n"
        "assert count == 2 and of_first(rank + 5.0) == 5.0\n"
        "assert torch.equal(network[0].weight.grad, torch.full((2, 3), 0.5))\n"
        "assert network[0].bias.grad.tolist() == [1.0, 2.0] and network[1].bias.grad.tolist() == [0.0]\n"
        "leave_processes()\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("em_membrane_unet", "em", ["--size", 220, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("phase_contrast_cells_unet", "phase-contrast", ["--size", 220, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("nuclei_unetplusplus", "nuclei", ["--size", 64, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("nuclei_mask_rcnn", "nuclei", ["--size", 64]),
        ("headneck_ct_unet3d", "ct", ["--size", 32, "--slices", 16, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("headneck_ct_deeplabv3plus", "ct", ["--size", 64]),
    ],
)
def test_train(benchmark, tmp_path, capsys, name, kind, settings):
    shape = (48, 40, 24) if kind == "ct" else (300, 260)
    write_synthetic(kind, tmp_path / "data", count=2, shape=shape)
    out = tmp_path / "model.pt"
    arguments = (
        name,
        tmp_path / "data",
        "--out",
        out,
        "--steps",
        2,
        "--batch",
        2,
        "--workers",
        1,
        "--still",
        0.5,
        *settings,
    )
    for _ in range(2):
        benchmark("timed_training", *arguments, "--cache", tmp_path / "cache.pt").main()
    assert "2 steps of 2" in capsys.readouterr().out
    state = torch.load(out, weights_only=True)
    assert all(v.isfinite().all() and v.dtype in (torch.float16, torch.int64) for v in state.values())
