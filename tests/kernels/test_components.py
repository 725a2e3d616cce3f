"""Connected components against a flood fill in raster order."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from medseg.kernels.components import label_components

REACH = {(2, 4): 1, (2, 8): 2, (3, 6): 1, (3, 18): 2, (3, 26): 3}


def flood_fill(foreground, connectivity):
    """The obvious way: at each unlabelled pixel in raster order flood a new component."""
    reach = REACH[foreground.ndim, connectivity]
    steps = [s for s in itertools.product((-1, 0, 1), repeat=foreground.ndim) if 0 < sum(map(abs, s)) <= reach]
    labels, count = np.zeros(foreground.shape, int), 0
    for start in zip(*np.nonzero(foreground), strict=True):
        if labels[start]:
            continue
        count += 1
        stack = [start]
        labels[start] = count
        while stack:
            here = stack.pop()
            for step in steps:
                there = tuple(map(sum, zip(here, step, strict=True)))
                inside = all(0 <= t < n for t, n in zip(there, foreground.shape, strict=True))
                if inside and foreground[there] and not labels[there]:
                    labels[there] = count
                    stack.append(there)
    return labels, count


@settings(max_examples=150)
@given(st.data(), st.sampled_from(sorted(REACH)))
def test_equals_flood_fill(data, kind):
    ndim, connectivity = kind
    image = data.draw(arrays(bool, array_shapes(min_dims=ndim, max_dims=ndim, max_side=14 if ndim == 2 else 6)))
    labels, count = label_components(image, connectivity)
    expected, expected_count = flood_fill(image, connectivity)
    np.testing.assert_array_equal(labels, expected)
    assert count == expected_count
    assert labels.dtype == np.int32


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_any_dtype_and_layout(dtype):
    image = (np.random.default_rng(1).random((30, 20)) > 0.4).astype(dtype)
    labels, _ = label_components(image.T[::-1, ::2], 8)
    np.testing.assert_array_equal(labels, flood_fill(image.T[::-1, ::2], 8)[0])


def test_more_components_than_the_first_table_holds():
    image = np.zeros((400, 400), bool)
    image[::2, ::2] = True
    labels, count = label_components(image, 4)
    assert count == 200 * 200
    np.testing.assert_array_equal(labels[image], np.arange(1, count + 1))


def test_what_grew_together_stays_so_when_the_table_grows():
    combs = np.zeros((5, 1401), bool)
    combs[[0, 3], ::2] = combs[[1, 4]] = True  # of 701 teeth each, which their backs join
    labels, count = label_components(combs, 4)
    assert count == 2
    np.testing.assert_array_equal(labels, combs * np.array([[1], [1], [0], [2], [2]]))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0, 0)])
def test_empty_image(shape):
    labels, count = label_components(np.zeros(shape, bool), 4 if len(shape) == 2 else 6)
    assert labels.shape == shape
    assert count == 0


def test_names_the_connectivity_it_does_not_know():
    with pytest.raises(ValueError, match="connectivity 6 does not exist for a 2D image"):
        label_components(np.zeros((3, 3), bool), 6)
