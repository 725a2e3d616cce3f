from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import SeparateTouching, SeparateTouchingd, separate_touching


def reference(labels, connectivity):
    out = labels.copy()
    for index in np.ndindex(labels.shape):
        for step in product((-1, 0, 1), repeat=labels.ndim):
            other = tuple(i + s for i, s in zip(index, step, strict=True))
            inside = all(0 <= i < n for i, n in zip(other, labels.shape, strict=True))
            if 0 < np.abs(step).sum() <= connectivity and inside and labels[other] not in (0, labels[index]):
                out[index] = 0
    return out


@settings(max_examples=60)
@given(data=st.data())
def test_equals_the_definition(data):
    dtype = data.draw(st.sampled_from([np.uint8, np.int16, np.uint32, np.int64]))
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6))
    labels = data.draw(hnp.arrays(dtype, shape, elements=st.integers(0, 3)))
    connectivity = data.draw(st.integers(1, labels.ndim))
    before = labels.copy()
    out = separate_touching(labels, connectivity=connectivity)
    np.testing.assert_array_equal(out, reference(labels, connectivity))
    np.testing.assert_array_equal(labels, before)
    assert out.dtype == labels.dtype


def test_a_binary_mask_stays():
    mask = np.zeros((5, 6), np.uint8)
    mask[1:4, 2:5] = 255
    np.testing.assert_array_equal(separate_touching(mask), mask)


def test_corner_contact_counts_unless_told():
    labels = np.array([[1, 0], [0, 2]])
    assert not separate_touching(labels).any()
    np.testing.assert_array_equal(separate_touching(labels, connectivity=1), labels)


def test_large_neighbouring_ids_are_told_apart():
    ids = np.array([[2**53, 2**53 + 1, 0]])
    np.testing.assert_array_equal(separate_touching(ids), np.zeros_like(ids))


@pytest.mark.parametrize(
    ("labels", "kwargs", "message"),
    [
        (np.ones((3, 3), np.float32), {}, "float32"),
        (np.array([[0, -2]]), {}, r"-2 stands at index \(0, 1\)"),
        (np.ones((3, 3), int), {"connectivity": 3}, "connectivity=3"),
        ([[1, 2]], {}, "list"),
    ],
)
def test_bad_input_is_named(labels, kwargs, message):
    with pytest.raises(InputError, match=message):
        separate_touching(labels, **kwargs)


def test_transform_keeps_type_and_meta():
    labels = MetaTensor(torch.tensor([[[1.0, 1, 2, 2], [0, 0, 0, 2]]]), meta={"filename_or_obj": "a.png"})
    out = SeparateTouchingd("label")({"label": labels})["label"]
    assert out.dtype == torch.float32
    assert out.meta["filename_or_obj"] == "a.png"
    assert torch.equal(out.as_tensor(), torch.tensor([[[1.0, 0, 0, 2], [0, 0, 0, 2]]]))
    with pytest.raises(InputError, match=r"a\.png"):
        SeparateTouching()(labels / 2)
