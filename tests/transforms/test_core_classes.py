import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.data import MetaTensor
from scipy.ndimage import distance_transform_edt
from skimage.measure import label

from medseg.errors import InputError
from medseg.transforms import CoreClassesd, core_classes, separate_touching

LABELS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


def one_object_at_a_time(labels: np.ndarray, depth: float, share: float) -> np.ndarray:
    """The definition, object by object."""
    separated = separate_touching(labels)
    result = np.zeros(labels.shape, np.uint8)
    for number in np.unique(separated[separated > 0]):
        mine = separated == number
        inside = distance_transform_edt(mine) if not mine.all() else np.full(mine.shape, np.inf)
        result[mine] = 1
        result[mine & (inside > min(depth, share * inside[mine].max()))] = 2
    return result  # without objects that the ridge takes whole


@settings(max_examples=200)
@given(LABELS, st.sampled_from([0.5, 1.0, 1.5, 4.0]), st.sampled_from([0.3, 0.7]))
def test_equals_the_definition_object_by_object(labels, depth, share):
    before = labels.copy()
    classes, vanished = core_classes(labels, depth, share), np.isin(labels, separate_touching(labels), invert=True)
    assert np.array_equal(classes[~vanished], one_object_at_a_time(labels, depth, share)[~vanished])
    assert sorted(labels[vanished & (classes > 0)]) == list(np.unique(labels[vanished]))
    assert set(classes[vanished]) <= {0, 2}
    assert np.array_equal(labels, before)


def test_a_disc_by_hand():
    labels = np.zeros((7, 7), np.int32)
    labels[1:6, 1:6] = 5
    expected = np.zeros((7, 7), np.uint8)
    expected[1:6, 1:6], expected[2:5, 2:5] = 1, 2
    assert np.array_equal(core_classes(labels, depth=1.5, share=0.9), expected)
    expected[2:5, 2:5], expected[3, 3] = 1, 2
    assert np.array_equal(core_classes(labels, depth=2.5, share=0.9), expected)


def test_the_rim_of_a_large_object_is_four_pixels_wide_by_default():
    labels = np.pad(np.ones((21, 21), np.uint8), 1)
    expected = np.pad(np.full((13, 13), 2, np.uint8), 4, constant_values=1)
    assert np.array_equal(core_classes(labels), np.pad(expected, 1))


@given(LABELS)
def test_every_object_has_a_core_and_no_core_touches_another(labels):
    classes, separated = core_classes(labels, depth=4), separate_touching(labels)
    assert set(np.unique(labels[classes == 2])) == set(np.unique(labels[labels > 0]))
    cores = label((classes == 2) & (separated > 0))
    assert all(len(np.unique(separated[cores == k])) == 1 for k in range(1, cores.max() + 1))


def test_the_core_of_an_object_that_the_ridge_takes_is_its_middle():
    labels = np.repeat([3, 4], 5)[None].repeat(9, 0)
    labels[3:6, 4:6] = 7  # two pixels wide, between two others
    classes = core_classes(labels)
    assert np.argwhere((classes == 2) & (labels == 7)).tolist() == [[4, 4]]


def test_volumes():
    labels = np.zeros((5, 7, 7), np.uint16)
    labels[1:4, 1:6, 1:6] = 1
    classes = core_classes(labels, depth=1)
    assert np.array_equal(np.argwhere(classes == 2).min(0), (2, 2, 2))
    assert (classes == 2).sum() == 1 * 3 * 3


@pytest.mark.parametrize("fill", [0, 7])
def test_one_class_all_over(fill):
    assert np.all(core_classes(np.full((4, 5), fill, np.uint8)) == (2 if fill else 0))


@pytest.mark.parametrize(("depth", "share"), [(0, 0.5), (-1, 0.5), (np.nan, 0.5), (3, 0), (3, 1)])
def test_bad_numbers(depth, share):
    with pytest.raises(InputError, match="depth"):
        core_classes(np.zeros((3, 3), np.uint8), depth, share)


def test_dictionary_form_keeps_meta_and_takes_whole_floats():
    item = {"label": MetaTensor(torch.zeros(1, 9, 9), meta={"filename_or_obj": "a.tif"}), "other": 1}
    item["label"][:, 2:7, 2:7] = 3
    result = CoreClassesd("label", depth=1)(item)
    assert result["label"].dtype == torch.float32
    assert result["label"].meta["filename_or_obj"] == "a.tif"
    assert torch.equal(result["label"].unique().as_tensor(), torch.tensor([0.0, 1.0, 2.0]))
    assert item["label"].max() == 3
    with pytest.raises(InputError, match=r"a\.tif"):
        CoreClassesd("label")({"label": item["label"] + 0.5})
