import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from medseg.errors import InputError
from medseg.kernels.two_nearest import two_nearest


def reference(labels, spacing, cutoff=np.inf):
    """One Euclidean distance transform per object, sorted."""
    far = np.full(labels.shape, np.inf)
    each = [far, far]
    each += [distance_transform_edt(labels != i, sampling=spacing) for i in np.unique(labels) if i != 0]
    d = np.sort(np.stack(each), axis=0)[:2]
    d[d > cutoff] = np.inf
    return d


def check(labels, spacing=None, cutoff=None, threads=None):
    before = labels.copy()
    near = two_nearest(labels, spacing, cutoff, threads=threads)
    d1, d2 = reference(labels, spacing, np.inf if cutoff is None else cutoff * (1 + 1e-7))
    np.testing.assert_allclose(near.d1, d1, rtol=1e-6)
    np.testing.assert_allclose(near.d2, d2, rtol=1e-6)
    np.testing.assert_array_equal(labels, before)
    for d, ids in ((near.d1, near.id1), (near.d2, near.id2)):
        np.testing.assert_array_equal(ids == 0, np.isinf(d))
        for i in np.unique(ids[ids != 0]):  # the object named is at the distance given
            own = distance_transform_edt(labels != i, sampling=spacing)
            np.testing.assert_allclose(d[ids == i], own[ids == i], rtol=1e-6)
    assert not ((near.id1 == near.id2) & (near.id1 != 0)).any()
    outside = two_nearest(labels, spacing, cutoff, inside=False, threads=threads)
    np.testing.assert_array_equal(outside.d1, near.d1)
    np.testing.assert_array_equal(outside.d2, np.where(labels == 0, near.d2, np.inf))
    return near


@settings(max_examples=250)
@given(data=st.data())
def test_equals_one_distance_transform_per_object(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=9))
    dtype = data.draw(st.sampled_from([np.uint8, np.int32, np.uint64]))
    sparse = st.sampled_from([0] * data.draw(st.sampled_from([0, 3, 30])) + [1, 2, 3, 4, 200])
    labels = data.draw(hnp.arrays(dtype, shape, elements=sparse))
    steps = st.floats(0.1, 8, allow_nan=False)
    spacing = data.draw(st.none() | st.lists(steps, min_size=len(shape), max_size=len(shape)))
    check(labels, spacing)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("shape", "spacing"), [((70, 61), None), ((64, 90), (2.5, 0.7)), ((19, 33, 40), (3, 1, 1))])
def test_scattered_objects(seed, shape, spacing):
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for i in range(1, 13):
        corner = [rng.integers(0, n) for n in shape]
        labels[tuple(slice(c, c + rng.integers(1, 9)) for c in corner)] = i
    check(labels, spacing)
    check(labels, spacing, cutoff=9.0)
    check(labels, spacing, cutoff=0.9)


def test_interleaved_objects_hidden_below_the_nearest():
    # object 2 lies behind object 1 everywhere, so it is on no first envelope, and still second everywhere
    labels = np.zeros((21, 40), np.uint8)
    labels[0, ::2], labels[5, 1::2], labels[20, 7] = 1, 2, 3
    check(labels)


@pytest.mark.parametrize("labels", [np.zeros((9, 8), int), np.ones((9, 8), int), np.eye(9, dtype=int) * 3])
def test_none_or_one_object(labels):
    near = check(labels)
    assert np.isinf(near.d2).all()


def test_touching_objects_and_full_image():
    labels = np.repeat(np.arange(1, 7), 4)[None].repeat(10, 0)
    near = check(labels)
    assert (near.d1 == 0).all()
    assert near.d2.max() == 4


def test_ids_beyond_32_bits_and_booleans():
    labels = np.array([[2**40, 0, 2**40 + 1, 0, 0, 2**63 - 1]])
    near = check(labels)
    assert near.id1.dtype == np.int64
    assert near.id1[0, -1] == 2**63 - 1
    assert (two_nearest(np.full((2, 3), 2**40)).id2 == 0).all(), "0 is no id of this image, and still no object"
    check(np.array([[True, False, False]]))


def test_threads_do_not_change_the_result():
    rng = np.random.default_rng(0)
    labels = (rng.random((200, 210)) > 0.99) * rng.integers(1, 50, (200, 210))
    one, many = two_nearest(labels, threads=1), two_nearest(labels, threads=5)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_callers_may_run_side_by_side():
    labels = np.zeros((190, 190), int)
    labels[3, 4], labels[150, 90] = 1, 2
    expected, results = two_nearest(labels, threads=1).d2, []
    callers = [threading.Thread(target=lambda: results.append(two_nearest(labels, threads=2).d2)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_empty_array_and_non_contiguous_input():
    assert two_nearest(np.zeros((0, 5), int)).d1.shape == (0, 5)
    labels = np.zeros((30, 40), int)
    labels[4, 5], labels[20, 30] = 1, 2
    check(labels[::2, ::-1].T)


@pytest.mark.parametrize(
    ("labels", "kwargs", "message"),
    [
        (np.zeros((3, 3)), {}, "float64"),
        (np.full((3, 3), -1), {}, "negative"),
        (np.zeros((3, 3), int), {"spacing": (1, 1, 1)}, "one value per axis, 2"),
        (np.zeros((3, 3), int), {"spacing": (1, 0)}, "positive"),
        (np.zeros((3, 3), int), {"cutoff": 0}, "cutoff=0"),
        (np.zeros((3, 3), int), {"cutoff": float("nan")}, "cutoff=nan"),
    ],
)
def test_bad_input_is_named(labels, kwargs, message):
    with pytest.raises(InputError, match=message):
        two_nearest(labels, **kwargs)
