import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medseg.errors import InputError
from medseg.kernels.object_boxes import object_boxes


def slow(labels):
    ids = [int(k) for k in np.unique(labels) if k]
    places = [np.argwhere(labels == k) for k in ids]
    return ids, [[*p.min(0), *(p.max(0) + 1)] for p in places], [len(p) for p in places]


def check(labels):
    before = labels.copy()
    found = object_boxes(labels)
    ids, boxes, areas = slow(labels)
    assert found.ids.tolist() == ids
    assert found.boxes.tolist() == boxes
    assert found.areas.tolist() == areas
    assert found.boxes.shape == (len(ids), 2 * labels.ndim)
    assert np.array_equal(labels, before)


@settings(max_examples=150)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.int32, np.int64, np.uint32]),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6),
        elements=st.integers(0, 5),
    ),
    st.booleans(),
)
def test_equals_a_slow_search(labels, transposed):
    check(labels.T if transposed else labels)


@pytest.mark.parametrize("background", [True, False])
def test_ids_far_larger_than_the_image(background):
    labels = np.array([[7, 7, 2**40], [5, 2**62, 2**62]], np.int64)
    if background:
        labels[0, 0] = 0
    check(labels)


def test_all_one_object_and_none():
    check(np.ones((3, 4), np.uint8))
    assert object_boxes(np.zeros((3, 4, 5), np.uint16)).boxes.shape == (0, 6)


def test_an_empty_image_has_no_object():
    assert object_boxes(np.zeros((0, 4), np.uint16)).ids.size == 0


def test_refuses_fractions():
    with pytest.raises(InputError, match="integers"):
        object_boxes(np.zeros((2, 2)))
