import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor
from scipy.ndimage import distance_transform_edt

from medseg.errors import InputError
from medseg.transforms import (
    BorderWeightMap,
    BorderWeightMapd,
    ForegroundAndCores,
    border_weight_map,
    separate_touching,
)


def border_term(labels, w0, sigma, spacing=None):
    """The paper's formula with one Euclidean distance transform per object."""
    ids = [i for i in np.unique(labels) if i]
    if len(ids) < 2:
        return np.zeros(labels.shape)
    d = np.sort([distance_transform_edt(labels != i, sampling=spacing) for i in ids], axis=0)
    return np.where(labels == 0, w0 * np.exp(-((d[0] + d[1]) ** 2) / (2 * sigma**2)), 0)


@settings(max_examples=100)
@given(data=st.data())
def test_equals_the_formula_with_one_distance_transform_per_object(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=8))
    labels = data.draw(hnp.arrays(np.uint16, shape, elements=st.sampled_from([0, 0, 0, 0, 1, 2, 3, 700])))
    w0, sigma = data.draw(st.floats(0, 100)), data.draw(st.floats(0.5, 6))
    spacing = data.draw(st.none() | st.lists(st.floats(0.2, 4), min_size=len(shape), max_size=len(shape)))
    before = labels.copy()
    weights = border_weight_map(labels, w0, sigma, class_balance=False, spacing=spacing)
    assert weights.dtype == np.float32
    assert weights.shape == shape
    expected = 1 + border_term(separate_touching(labels), w0, sigma, spacing)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(labels, before)


def test_five_by_five_by_hand():
    # two cells of two columns, one column between them: d1 = d2 = 1 on the gap
    labels = np.array([[1, 1, 0, 2, 2]] * 5)
    weights = border_weight_map(labels)
    np.testing.assert_allclose(weights[:, [0, 1, 3, 4]], 0.5 / 0.8)
    np.testing.assert_allclose(weights[:, 2], 0.5 / 0.2 + 10 * np.exp(-4 / 50), rtol=1e-6)
    lmb = border_weight_map(labels, preset="lmb")
    np.testing.assert_array_equal(lmb[:, [0, 1, 3, 4]], 1)
    expected = 0.1 + 0.9 * np.exp(-1 / 200) + 50 * np.exp(-4 / 72)
    np.testing.assert_allclose(lmb[:, 2], expected, rtol=1e-6)


def test_lmb_background_falls_off_beyond_the_reach_of_the_border_term():
    labels = np.zeros((1, 60), int)
    labels[0, 0] = 1
    expected = 0.1 + 0.9 * np.exp(-(np.arange(60) ** 2) / 200)
    np.testing.assert_allclose(border_weight_map(labels, preset="lmb")[0], expected, atol=2e-6)


def test_touching_cells_get_a_ridge():
    labels = np.repeat([[1, 1, 1, 2, 2, 2]], 6, axis=0)
    weights = border_weight_map(labels, class_balance=False)
    assert (weights[:, 2:4] > 9).all()
    assert (weights[:, [0, 1, 4, 5]] == 1).all()
    assert (border_weight_map(labels, class_balance=False, separate_touching=False) == 1).all()


def test_components_of_a_binary_mask():
    mask = np.zeros((12, 12), np.uint8)
    mask[1:6, 1:11] = mask[7:11, 1:11] = 255
    assert (border_weight_map(mask, class_balance=False) == 1).all()
    labels = np.zeros_like(mask)
    labels[1:6, 1:11], labels[7:11, 1:11] = 1, 2
    np.testing.assert_array_equal(border_weight_map(mask, objects="components"), border_weight_map(labels))


def test_cores_have_the_border_term_on_the_rims_of_touching_objects():
    labels = np.repeat([[0] * 4 + [1] * 9 + [2] * 9 + [0] * 4], 9, axis=0)
    labels = np.pad(labels, ((4, 4), (0, 0)))
    cores = np.where(ForegroundAndCores()(labels[None])[1].numpy() > 0, labels, 0)
    weights = border_weight_map(labels, class_balance=False, objects="cores")
    np.testing.assert_allclose(weights, 1 + border_term(cores, 10, 5), rtol=1e-5)
    assert (weights[8, 11:14] > 4).all()  # inside both objects, on either side of where they touch
    assert (weights[cores > 0] == 1).all()


def test_cores_of_large_objects_are_those_that_a_network_learns():
    labels = np.pad(np.repeat([[1] * 25 + [2] * 25], 25, axis=0), 2)
    cores = np.where(ForegroundAndCores()(labels[None])[1].numpy() > 0, labels, 0)
    weights = border_weight_map(labels, class_balance=False, objects="cores")
    np.testing.assert_allclose(weights, 1 + border_term(cores, 10, 5), rtol=1e-5)


def test_cores_that_touch_are_no_background():
    labels = np.zeros((9, 20), int)
    labels[3:6, 3:15] = np.arange(1, 4)[:, None]  # three threads of one pixel, side by side
    weights = border_weight_map(labels, class_balance=False, objects="cores")
    cores = ForegroundAndCores()(labels[None])[1].numpy() > 0
    assert cores.sum() == 3
    assert (weights[cores] == 1).all()
    assert weights[~cores].max() > 9


@pytest.mark.parametrize("labels", [np.zeros((6, 7), int), np.ones((6, 7), int)])
def test_no_object_and_nothing_but_one(labels):
    assert (border_weight_map(labels) == 1).all()
    assert np.isfinite(border_weight_map(labels, preset="lmb")).all()


def test_class_balance():
    labels = np.zeros((10, 10), int)
    labels[:2, :5] = 1
    weights = border_weight_map(labels)
    assert weights[labels == 1].sum() == pytest.approx(weights[labels == 0].sum())
    assert weights.mean() == pytest.approx(1)
    fixed = border_weight_map(labels, class_balance=0.25)
    assert set(np.unique(fixed)) == {np.float32(2), np.float32(0.5 / 0.75)}


def test_cutoff_drops_far_objects_only():
    labels = np.zeros((1, 30), int)
    labels[0, 0], labels[0, 9], labels[0, 29] = 1, 2, 3
    weights = border_weight_map(labels, sigma=8, class_balance=False, cutoff=8)
    assert weights[0, 4] == pytest.approx(1 + 10 * np.exp(-81 / 128))
    assert weights[0, 19] == 1


def test_transform_accepts_what_monai_readers_give_and_keeps_meta():
    labels = np.zeros((1, 20, 21))
    labels[0, 3:9, 3:9], labels[0, 10:16, 5:15] = 1, 2
    expected = border_weight_map(labels[0].astype(int))
    img = MetaTensor(torch.from_numpy(labels).float(), affine=torch.eye(4) * 3, meta={"filename_or_obj": "m.tif"})
    out = BorderWeightMap()(img)
    np.testing.assert_array_equal(out.numpy()[0], expected)
    assert out.dtype == torch.float32
    assert out.meta["filename_or_obj"] == "m.tif"
    data = BorderWeightMapd("label")({"label": img})
    assert data["label"] is img
    np.testing.assert_array_equal(data["weight"].numpy()[0], expected)


def test_physical_units():
    labels = np.zeros((1, 20, 30), np.uint8)
    labels[0, :, 2:5], labels[0, :, 9:12] = 1, 2
    img = MetaTensor(torch.from_numpy(labels), affine=torch.diag(torch.tensor([0.5, 0.25, 1, 1])))
    expected = border_weight_map(labels[0], sigma=2, spacing=(0.5, 0.25))
    np.testing.assert_array_equal(BorderWeightMap(sigma=2, units="physical")(img).numpy()[0], expected)
    given = BorderWeightMap(sigma=2, units="physical", spacing=(0.5, 0.25))(labels)
    np.testing.assert_array_equal(given.numpy()[0], expected)
    with pytest.raises(InputError, match="no affine"):
        BorderWeightMap(units="physical")(labels)
    with pytest.raises(InputError, match="counts in pixels"):
        BorderWeightMap(preset="paper", units="physical")
    with pytest.raises(InputError, match=r"physical.*say so"):
        BorderWeightMap(spacing=(0.5, 0.25))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"sigma": 0}, "sigma=0"),
        ({"sigma": -2}, "sigma=-2"),
        ({"w0": -1}, "w0=-1"),
        ({"w0": float("nan")}, "w0=nan"),
        ({"class_balance": 1.5}, "class_balance=1.5"),
        ({"objects": "cells"}, "objects='cells'"),
        ({"preset": "unet"}, "known are paper, lmb"),
        ({"preset": "lmb", "w0": 20}, "sets w0 itself"),
        ({"preset": "lmb", "spacing": (0.5, 0.5)}, "counts in pixels"),
        ({"spacing": (1, 1, 1)}, "spacing"),
        ({"cutoff": -1}, "cutoff=-1"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(InputError, match=message):
        border_weight_map(np.eye(5, dtype=int), **kwargs)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.full((1, 4, 4), 0.5), r"labels of a\.tif hold 0.5, which is no id"),
        (torch.full((1, 4, 4), torch.nan), "hold nan"),
        (torch.full((1, 4, 4), -1), "negative"),
        (torch.full((1, 4, 4), 2.0**24), "float32 tells ids apart only below 16777216"),
        (torch.zeros(2, 4, 4), "one channel"),
    ],
)
def test_bad_labels_name_the_file(labels, message):
    with pytest.raises(InputError, match=message):
        BorderWeightMap()(MetaTensor(labels, meta={"filename_or_obj": "a.tif"}))


def test_plain_function_refuses_float_labels():
    with pytest.raises(InputError, match="float32"):
        border_weight_map(np.zeros((4, 4), np.float32))


def test_output_keys_must_differ():
    with pytest.raises(InputError, match="2 keys"):
        BorderWeightMapd(["a", "b"])
