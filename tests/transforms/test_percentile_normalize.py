import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import PercentileNormalize, PercentileNormalized


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_percentiles_become_zero_and_one(dtype):
    image = np.random.default_rng(0).integers(0, 255, (1, 40, 50)).astype(dtype)
    before = image.copy()
    out = np.asarray(PercentileNormalize(2, 98)(image))
    assert out.dtype == np.float32
    np.testing.assert_allclose(np.percentile(out, (2, 98)), (0, 1), atol=1e-6)
    assert out.max() > 1
    np.testing.assert_array_equal(image, before)


def test_sections_of_a_stack_are_normalised_one_by_one():
    rng = np.random.default_rng(1)
    section = rng.random((30, 31))
    stack = np.stack([section * gain + offset for gain, offset in ((1, 0), (50, 7), (0.1, -3))])[None]
    out = np.asarray(PercentileNormalize(spatial_dims=2)(stack))
    np.testing.assert_allclose(out[0, 1], out[0, 0], atol=1e-5)
    np.testing.assert_allclose(out[0, 2], out[0, 0], atol=1e-5)
    whole = np.asarray(PercentileNormalize()(stack))
    assert abs(whole[0, 1] - whole[0, 0]).max() > 0.5


def test_channels_are_separate_by_default():
    image = np.stack([np.arange(100.0).reshape(10, 10), 1e4 + 5 * np.arange(100.0).reshape(10, 10)])
    out = np.asarray(PercentileNormalize()(image))
    np.testing.assert_allclose(out[0], out[1], atol=1e-5)


def test_integers_beyond_float32_keep_their_differences():
    image = (2**28 + np.arange(100)).reshape(1, 10, 10)
    out = np.asarray(PercentileNormalize(0, 100)(image)).ravel()
    np.testing.assert_allclose(out, np.arange(100) / 99, atol=1e-6)


def test_clip_and_constant_and_sparse():
    image = np.random.default_rng(2).normal(size=(1, 50, 50))
    clipped = np.asarray(PercentileNormalize(5, 95, clip=True)(image))
    assert clipped.min() == 0
    assert clipped.max() == 1
    assert not np.asarray(PercentileNormalize()(np.full((1, 5, 5), 7))).any()
    sparse = np.zeros((1, 50, 50))
    sparse[0, 3, 4] = 10
    assert np.asarray(PercentileNormalize()(sparse))[0, 3, 4] == 1


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_exponent_after_the_result_was_cut(gamma):
    image = np.random.default_rng(2).normal(size=(1, 50, 50))
    clipped = np.asarray(PercentileNormalize(5, 95, clip=True)(image))
    np.testing.assert_allclose(np.asarray(PercentileNormalize(5, 95, gamma=gamma)(image)), clipped**gamma, atol=1e-6)


@pytest.mark.parametrize("gamma", [0, -1.0, float("nan"), float("inf"), "dark", None])
def test_no_exponent(gamma):
    with pytest.raises(InputError, match=f"gamma={gamma}; give a number above 0"):
        PercentileNormalize(gamma=gamma)


def test_meta_survives_and_other_keys_are_left_alone():
    image = MetaTensor(torch.rand(1, 8, 8), meta={"filename_or_obj": "a.tif"}, affine=torch.eye(4) * 2)
    label = torch.ones(1, 8, 8)
    data = {"image": image, "label": label}
    out = PercentileNormalized("image")(data)
    assert out["image"].meta["filename_or_obj"] == "a.tif"
    assert torch.equal(out["image"].affine, image.affine)
    assert out["label"] is label
    assert data["image"] is image


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_name_the_file(bad):
    image = torch.rand(1, 8, 8)
    image[0, 1, 2] = bad
    with pytest.raises(InputError, match=r"1 of 64 pixels of the image of cells_07\.tif are NaN, infinite or.*3\.4e38"):
        PercentileNormalize()(MetaTensor(image, meta={"filename_or_obj": "cells_07.tif"}))


@pytest.mark.parametrize(
    ("kwargs", "shape"),
    [
        ({"lower": 99, "upper": 1}, None),
        ({"upper": 101}, None),
        ({"spatial_dims": 0}, None),
        ({"spatial_dims": 3}, (8, 8)),
        ({}, (8,)),
        ({}, (1, 0, 8)),
    ],
)
def test_bad_arguments(kwargs, shape):
    with pytest.raises(InputError):
        PercentileNormalize(**kwargs)(np.zeros(shape or (1, 4, 4)))


def test_channels_together_keep_their_ratios():
    rng = np.random.default_rng(3)
    blue, dark = rng.integers(0, 4000, (30, 31)), rng.integers(0, 5, (30, 31))
    image = np.stack([dark, dark, blue]).astype(np.uint16)
    out = np.asarray(PercentileNormalize(0, 100, together=True)(image))
    assert out[2].max() == 1
    assert out[:2].max() < 0.002
    apart = np.asarray(PercentileNormalize(0, 100)(image))
    assert apart[0].max() == 1


def test_channels_together_section_by_section():
    section = np.random.default_rng(4).random((3, 20, 21))
    stack = np.stack([section, section * 9 - 2], axis=1)
    out = np.asarray(PercentileNormalize(spatial_dims=2, together=True)(stack))
    assert out.shape == stack.shape
    np.testing.assert_allclose(out[:, 1], out[:, 0], atol=1e-5)
    np.testing.assert_allclose(out[:, 0], np.asarray(PercentileNormalize(together=True)(section)), atol=1e-6)


def test_gradients_pass():
    img = torch.tensor([[[0.0, 1.0, 4.0]], [[7.0, 7.0, 7.0]]], requires_grad=True)
    PercentileNormalize(0, 100)(img).sum().backward()
    torch.testing.assert_close(img.grad, torch.tensor([[[0.25] * 3], [[0.0] * 3]]))
