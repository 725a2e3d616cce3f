import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from medseg.errors import InputError
from medseg.transforms.warp import warp


def random_case(seed, ndim, reach):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, ndim))
    img = rng.random((2, *shape))
    u = rng.uniform(-reach, reach, (ndim, *shape))
    return img, u, np.indices(shape) + u


@settings(max_examples=60)
@given(seed=st.integers(0, 2**31), ndim=st.integers(1, 3), reach=st.floats(0, 30))
def test_linear_equals_scipy_with_mirrored_border(seed, ndim, reach):
    img, u, places = random_case(seed, ndim, reach)
    out = warp(torch.from_numpy(img), torch.from_numpy(u), "bilinear").numpy()
    for got, channel in zip(out, img, strict=True):
        # scipy cannot mirror an axis of one pixel
        channel = np.pad(channel, [(0, int(n == 1)) for n in channel.shape], mode="edge")
        np.testing.assert_allclose(got, map_coordinates(channel, places, order=1, mode="mirror"), atol=1e-9)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**31), ndim=st.integers(1, 3), reach=st.floats(0, 30))
def test_nearest_equals_numpy_indexing(seed, ndim, reach):
    img, u, _ = random_case(seed, ndim, reach)
    u = u.astype(np.float32)
    labels = (img * 5).astype(np.int64) + 2**53
    out = warp(torch.from_numpy(labels), torch.from_numpy(u), "nearest").numpy()
    for index in np.ndindex(labels.shape[1:]):
        source = []
        for axis, n in enumerate(labels.shape[1:]):
            i = int(np.rint(np.float32(index[axis]) + u[(axis, *index)]))
            period = max(2 * (n - 1), 1)
            i = i % period
            source.append(min(i, period - i) if n > 1 else 0)
        np.testing.assert_array_equal(out[(slice(None), *index)], labels[(slice(None), *source)])


def test_cubic_is_the_same_kernel_in_two_and_three_dimensions():
    rng = np.random.default_rng(3)
    plane = torch.from_numpy(rng.random((1, 9, 8)))
    u = torch.from_numpy(rng.uniform(-3, 3, (2, 9, 8)))
    flat = warp(plane, u, "bicubic")
    thick = warp(
        plane[:, None].expand(1, 5, 9, 8),
        torch.cat([torch.zeros(1, 9, 8), u])[:, None].expand(3, 5, 9, 8),
        "bicubic",
    )
    torch.testing.assert_close(thick[:, 2], flat)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_whole_shifts_move_pixels_exactly(mode):
    img = torch.arange(42.0).reshape(1, 6, 7)
    u = torch.zeros(2, 6, 7)
    u[0], u[1] = 1, -2
    expected = torch.nn.functional.pad(img[None], (2, 0, 0, 1), mode="reflect")[0][:, 1:, :-2]
    torch.testing.assert_close(warp(img, u, mode), expected, atol=2e-4, rtol=0)


def test_types():
    u = torch.zeros(2, 4, 4)
    for dtype in (torch.uint8, torch.uint16, torch.int64, torch.bool, torch.float16, torch.float64):
        img = torch.ones(1, 4, 4).to(dtype)
        assert warp(img, u, "nearest").dtype == dtype
        assert warp(img, u, "bilinear").dtype == (dtype if dtype.is_floating_point else torch.float32)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="mode='linear'"):
        warp(torch.zeros(1, 4, 4), torch.zeros(2, 4, 4), "linear")
    with pytest.raises(InputError, match=r"shape \(3, 4, 5\) does not fit .* expected \(2, 4, 5\)"):
        warp(torch.zeros(1, 4, 5), torch.zeros(3, 4, 5))
    with pytest.raises(InputError, match=r"expected \(2, 4, 5\)"):
        warp(torch.zeros(1, 4, 5), torch.zeros(2, 4, 4))
