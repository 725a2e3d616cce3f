import io

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medseg.inferers import OverlapTileInferer, overlap_tile
from medseg.inferers.tiling import AxisTiles, mirror_index, plan_axis
from medseg.networks import BatchNorm, UNet, UNetPlusPlus


def small_unet(dims: int, depth: int, norm=None) -> UNet:
    torch.manual_seed(depth)
    network = UNet(dims, 2, 3, channels=(3, 4, 5, 6)[: depth + 1], norm=norm)
    return network.eval()


def whole_image(image: torch.Tensor, network: UNet) -> torch.Tensor:
    """The definition: mirror-pad by numpy, run once, cut off what was added behind for even pooling."""
    spatial = image.shape[2:]
    pads = [(network.margin, network.valid_size(n + 2 * network.margin) - n - network.margin) for n in spatial]
    padded = np.pad(image.numpy(), [(0, 0), (0, 0), *pads], mode="reflect")
    with torch.inference_mode():
        return network(torch.from_numpy(padded))[(..., *(slice(n) for n in spatial))]


def largest_difference(shape, tile, depth, batch_size=1, norm=None, dtype=torch.float64) -> float:
    """Largest difference between tiled and whole, relative to the largest output (or 1)."""
    network = small_unet(len(shape), depth, norm).to(dtype)
    image = torch.rand(1, 2, *shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)
    tile = [max(t, network.valid_size(2 * network.margin + network.stride)) for t in tile]
    with torch.inference_mode():
        tiled = OverlapTileInferer(tile, batch_size)(image, network)
    whole = whole_image(image, network)
    return ((tiled - whole).abs().max() / whole.abs().max().clamp(min=1)).item()


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    tile=st.tuples(st.integers(1, 160), st.integers(1, 160)),
    depth=st.integers(1, 3),
    batch_size=st.integers(1, 3),
    norm=st.sampled_from([None, "batch"]),
)
@example(shape=(1, 1), tile=(1, 1), depth=3, batch_size=1, norm=None)
@example(shape=(150, 1), tile=(100, 100), depth=3, batch_size=2, norm=None)
def test_equals_the_whole_image_2d(shape, tile, depth, batch_size, norm):
    assert largest_difference(shape, tile, depth, batch_size, norm) <= 1e-12


@settings(max_examples=10)
@given(shape=st.tuples(*[st.integers(1, 14)] * 3), tile=st.tuples(*[st.integers(1, 24)] * 3))
def test_equals_the_whole_image_3d(shape, tile):
    assert largest_difference(shape, tile, depth=1) <= 1e-12


def test_equals_the_whole_image_3d_deeper():
    assert largest_difference((30, 9, 14), (48, 44, 44), depth=2) <= 1e-12


def test_equals_the_whole_image_in_float32():
    assert largest_difference((150, 130), (100, 116), depth=3, dtype=torch.float32) <= 1e-5


def test_the_naive_stride_is_not_exact(monkeypatch):
    """The planted fault: tiles laid at the output size, as the paper's figure suggests."""

    def naive(length, tile, margin, stride, valid_size, context):
        step = tile - 2 * margin
        origins = range(0, length, step)
        return AxisTiles(tile, step, tuple(origins), tuple(o - margin for o in origins))

    assert largest_difference((120, 120), (100, 100), depth=3) <= 1e-12
    monkeypatch.setattr(overlap_tile, "plan_axis", naive)
    assert largest_difference((120, 120), (100, 100), depth=3) > 1e-3


def test_the_papers_tiles_lie_at_384():
    network = UNet(2, 1, 2, channels=(1,) * 5)
    plan = plan_axis(3 * 384, 572, network.margin, network.stride, network.valid_size)
    assert plan == AxisTiles(572, 384, (0, 384, 768), (-92, 292, 676))
    # 512 needs two tiles: two of 256 + context instead of one full and one mostly empty
    assert plan_axis(512, 572, 92, 16, network.valid_size) == AxisTiles(444, 256, (0, 256), (-92, 164))


@given(length=st.integers(1, 30), start=st.integers(-70, 0), size=st.integers(1, 140))
def test_mirror_index_is_numpys_reflect(length, start, size):
    padded = np.pad(np.arange(length), (-start, max(0, start + size - length)), mode="reflect")
    np.testing.assert_array_equal(mirror_index(start, size, length), padded[:size])


def test_a_network_in_a_wrapper_says_what_it_needs():
    network, image = small_unet(2, 2), torch.rand(1, 2, 60, 50)
    wrapped = torch.nn.Module()
    wrapped.module, wrapped.forward = network, network.forward  # as DataParallel, on any machine
    with torch.inference_mode():
        tiled, whole = (OverlapTileInferer((48, 48))(image, net) for net in (wrapped, network))
    assert torch.equal(tiled, whole)


def test_leading_axes_are_sections():
    network = small_unet(2, 2)
    stack = torch.rand(2, 2, 3, 30, 25)
    inferer = OverlapTileInferer((48, 48), batch_size=2)
    with torch.inference_mode():
        result = inferer(stack, network)
        assert result.shape == (2, 3, 3, 30, 25)
        for z in range(3):
            torch.testing.assert_close(result[:, :, z], inferer(stack[:, :, z], network))


def test_reports_progress_and_leaves_the_input_alone():
    seen = []
    image = torch.rand(1, 2, 40, 40)
    before = image.clone()
    inferer = OverlapTileInferer((48, 48), 2, progress=lambda done, total: seen.append((done, total)))
    with torch.inference_mode():
        inferer(image, small_unet(2, 2))
    assert seen[-1][0] == seen[-1][1] > 2
    assert torch.equal(image, before)


@pytest.mark.parametrize("norm", ["instance", ("group", {"num_groups": 1})])
def test_refuses_norms_over_the_tile_unless_allowed(norm):
    network = UNet(2, 2, 1, channels=(2, 2, 2), norm=norm).eval()
    image = torch.rand(1, 2, 40, 40)
    with pytest.raises(ValueError, match="statistics over the tile"):
        OverlapTileInferer((48, 48))(image, network)
    OverlapTileInferer((100, 100))(image, network)  # one tile is the whole image
    with pytest.warns(UserWarning, match="statistics over the tile"):
        OverlapTileInferer((48, 48), allow_inexact=True)(image, network)


def test_refuses_batch_norm_in_training_mode():
    network = small_unet(2, 2, norm="batch").train()
    with pytest.raises(ValueError, match="training mode"):
        OverlapTileInferer((48, 48))(torch.rand(1, 2, 40, 40), network)


@pytest.mark.parametrize("dims", [2, 3])
def test_refuses_upsampling_with_aligned_corners_unless_allowed(dims):
    network = UNetPlusPlus(dims, 1, 1, channels=(2, 2), upsample="bilinear").eval()
    image, tile = torch.rand(1, 1, *[40] * dims), [24] * dims
    with pytest.raises(ValueError, match="aligns the corners of the tile"):
        OverlapTileInferer(tile, context=8)(image, network)
    with pytest.warns(UserWarning, match="aligns the corners"):
        OverlapTileInferer(tile, context=8, allow_inexact=True)(image, network)


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    "network",
    [
        UNet(2, 2, 1, channels=(2, 2), norm="instance").eval(),
        UNet(2, 2, 1, channels=(2, 2), norm="batch").train(),
        torch.nn.Sequential(torch.nn.Conv2d(2, 1, 1), BatchNorm(1)).train(),
        UNetPlusPlus(2, 2, 1, channels=(2, 2), upsample="bilinear").eval(),
    ],
)
def test_refuses_the_same_networks_as_torchscript(network, loaded):
    scripted = torch.jit.script(network)
    if loaded:
        torch.jit.save(scripted, file := io.BytesIO())
        scripted = torch.jit.load(io.BytesIO(file.getvalue()))
    inferer = OverlapTileInferer((48, 48), margin=0, stride=2, valid_size=lambda n: n, context=8)
    with pytest.raises(ValueError, match=r"(over|of) the tile"):
        inferer(torch.rand(1, 2, 60, 60), scripted)


def test_refuses_padded_networks_and_plain_functions():
    image = torch.rand(1, 2, 40, 40)
    with pytest.raises(ValueError, match="margin 0"):
        OverlapTileInferer((16, 16))(image, UNet(2, 2, 1, channels=(2, 2, 2), padding="same").eval())
    with pytest.raises(ValueError, match="no attribute 'margin'"):
        OverlapTileInferer((16, 16))(image, torch.nn.Conv2d(2, 1, 3))
    with pytest.raises(ValueError, match="returned a list, not one tensor of logits: call its eval"):
        OverlapTileInferer((40, 40))(image, UNetPlusPlus(2, 2, 1, channels=(2, 2, 2)).train())
    crop = OverlapTileInferer((16, 16), margin=1, stride=1, valid_size=lambda n: max(n, 3))
    torch.testing.assert_close(crop(image, lambda x: x[..., 1:-1, 1:-1]), image)


SEES = 24  # pixels around a pixel that a U-Net++ of two poolings sees, rounded up


@pytest.mark.parametrize("shape", [(200, 61), (128, 133), (97, 300)])
@pytest.mark.parametrize("tile", [(80, 80), (64, 96)])
def test_with_context_a_padded_network_sees_the_whole_image(shape, tile):
    torch.manual_seed(0)
    network = UNetPlusPlus(2, 2, 1, channels=(2, 3, 4), norm="batch").eval()
    image = torch.rand(2, 2, *shape)
    with torch.inference_mode():
        whole = OverlapTileInferer((512, 512))(image, network)
        tiled = OverlapTileInferer(tile, batch_size=3, context=SEES)(image, network)
        torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=1e-5)
        near = OverlapTileInferer(tile, context=4)(image, network)
        assert (near - whole).abs().max() > 1e-4


def test_context_tiles_stay_inside_the_image():
    network = UNetPlusPlus(2, 1, 1, channels=(2, 2, 2))
    plan = plan_axis(100, 48, 0, 4, network.valid_size, context=10)
    assert plan == AxisTiles(44, 20, (0, 20, 40, 60, 80), (0, 8, 28, 48, 56))
    with pytest.raises(ValueError, match="at least 28"):
        plan_axis(100, 24, 0, 4, network.valid_size, context=10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tile_shape": (8, 8), "context": -1}, "not negative"),
        ({"tile_shape": (0, 8)}, "positive"),
        ({"tile_shape": (8, 8), "batch_size": 0}, "positive"),
        ({"tile_shape": (8, 8), "padding_mode": "zeros"}, "mirrors"),
    ],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        OverlapTileInferer(**arguments)


def test_names_the_smallest_tile_and_the_missing_axis():
    network = small_unet(2, 2)
    with pytest.raises(ValueError, match="at least 44"):
        OverlapTileInferer((43, 43))(torch.rand(1, 2, 40, 40), network)
    with pytest.raises(ValueError, match="fewer than 2 spatial axes"):
        OverlapTileInferer((48, 48))(torch.rand(1, 2, 40), network)
    with pytest.raises(ValueError, match="holds no image"):
        OverlapTileInferer((48, 48))(torch.rand(0, 2, 40, 40), network)
