"""Homotopic warping against the reference, a literal reading of its rules, and exhaustive search."""

import hashlib
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from isbi2012_cases import each_case, load_case
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import euler_number

from medseg.kernels.simple_points import simple_points
from medseg.kernels.warp import homotopic_warp


@each_case
def test_reference_cases(case_folder):
    case = load_case(case_folder)
    for expected in case.expected["warping"]["per_threshold"]:
        threshold = expected["threshold"]
        pairs = zip(case.label, case.proposal, strict=True)
        warped = np.stack([homotopic_warp(label, proposal, threshold, case.mask) for label, proposal in pairs])
        mismatch = warped != (case.proposal.astype(np.float64) > threshold)
        if case.mask is not None:
            mismatch &= case.mask
        assert mismatch.sum(axis=(1, 2)).tolist() == expected["mismatches_per_slice"]
        assert hashlib.sha256(warped.astype(np.uint8)).hexdigest() == expected["warped_sha256"]
        assert hashlib.sha256(mismatch.astype(np.uint8)).hexdigest() == expected["mismatch_sha256"]


def literal_warp(label, proposal, threshold, mask):
    """The rules as they are written: full passes, everything sorted and tested again in each."""
    connectivity = 4 if label.ndim == 2 else 6
    warped, target = label > 0, proposal.astype(np.float64) > threshold
    previous = None
    while True:
        # Column-major: the last axis is outermost.
        pixels = [tuple(p[::-1]) for p in np.argwhere(((warped != target) & mask).T)]
        if len(pixels) in (0, previous):
            return warped
        previous = len(pixels)
        key = {p: np.float32(abs(np.float64(proposal[p]) - threshold)) for p in pixels}
        for p in sorted(pixels, key=lambda p: -key[p]):
            if simple_points(warped, connectivity)[p]:
                warped[p] = not warped[p]


@st.composite
def pairs(draw, sides={2: 8, 3: 4}):  # noqa: B006
    ndim = draw(st.sampled_from([2, 3]))
    shape = draw(array_shapes(min_dims=ndim, max_dims=ndim, max_side=sides[ndim]))
    label = draw(arrays(bool, shape))
    levels = draw(arrays(np.uint8, shape, elements=st.sampled_from([0, 51, 102, 127, 128, 153, 204, 255])))
    return label, levels.astype(np.float32) / np.float32(255)


@settings(max_examples=120)
@given(pairs(), st.sampled_from([0.0, 0.2, 0.5, 0.1 + 0.2, 0.7999999999999999]), st.randoms())
def test_equals_the_rules_read_literally(pair, threshold, random):
    label, proposal = pair
    mask = np.array([random.random() < 0.8 for _ in range(label.size)]).reshape(label.shape)
    before = label.copy(), proposal.copy(), mask.copy()
    warped = homotopic_warp(label, proposal, threshold, mask)
    np.testing.assert_array_equal(warped, literal_warp(label, proposal, threshold, mask))
    for now, then in zip((label, proposal, mask), before, strict=True):
        np.testing.assert_array_equal(now, then)


@settings(max_examples=120)
@given(pairs(sides={2: 16, 3: 6}))
def test_warped_label_is_homotopic_and_stuck(pair):
    label, proposal = pair
    warped, target = homotopic_warp(label, proposal), proposal > 0.5
    assert topology(warped) == topology(label)
    left = warped != target
    assert not (simple_points(warped, 4 if label.ndim == 2 else 6) & left).any()
    # Every flip mended a pixel and none did harm.
    np.testing.assert_array_equal(warped[label == target], target[label == target])
    assert left.sum() <= (label != target).sum()


def topology(image):
    """Euler number, objects, background components (with the outside)."""
    padded = np.pad(image, 1)
    background = ndimage.label(~padded, np.ones((3,) * image.ndim))[1]
    return euler_number(padded, connectivity=1), ndimage.label(padded)[1], background


@settings(max_examples=60)
@given(st.data())
def test_flips_and_transposes_change_nothing_where_no_keys_tie(data):
    ndim = data.draw(st.sampled_from([2, 3]))
    shape = data.draw(array_shapes(min_dims=ndim, max_dims=ndim, max_side=10 if ndim == 2 else 5))
    label = data.draw(arrays(bool, shape))
    size = label.size
    # All distances from 0.5 differ; one half lies above it, the other below.
    order = np.array(data.draw(st.permutations(range(size)))).reshape(shape)
    proposal = (0.5 + np.where(order % 2, 0.4, -0.4) * (order + 1) / size).astype(np.float32)
    axes = data.draw(st.permutations(range(ndim)))
    flips = tuple(slice(None, None, data.draw(st.sampled_from([1, -1]))) for _ in range(ndim))

    def moved(image):
        return image.transpose(axes)[flips]

    expected = moved(homotopic_warp(label, proposal))
    np.testing.assert_array_equal(homotopic_warp(moved(label), moved(proposal)), expected)


@cache
def homotopy_classes(shape):
    """Class of every image of a small shape: images joined by flips of simple points, in either direction."""
    size = int(np.prod(shape))
    connectivity = 4 if len(shape) == 2 else 6
    bits = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    simple = np.stack([simple_points(b.reshape(shape), connectivity).reshape(-1) for b in bits])
    states, pixels = np.nonzero(simple)
    graph = coo_array((np.ones(states.size, bool), (states, states ^ (1 << pixels))), shape=(2**size,) * 2)
    return bits.astype(bool), connected_components(graph, directed=False)[1]


@pytest.mark.parametrize("shape", [(3, 4), (2, 5), (2, 2, 3)])
def test_never_beats_the_exhaustive_optimum(shape):
    images, classes = homotopy_classes(shape)
    rng = np.random.default_rng(7)
    reached = 0
    for _ in range(300):
        label, target = rng.integers(len(images), size=2)
        proposal = images[target].reshape(shape).astype(np.float32)
        warped = homotopic_warp(images[label].reshape(shape), proposal).reshape(-1)
        code = int((warped << np.arange(warped.size)).sum())
        assert classes[code] == classes[label]
        optimum = (images[classes == classes[label]] != images[target]).sum(axis=1).min()
        assert (warped != images[target]).sum() >= optimum
        reached += (warped != images[target]).sum() == optimum
    assert reached > 150  # most of the time it is the optimum


def test_4x4_against_the_exhaustive_optimum():
    """All 65 536 images of 4 x 4; simple points from the 256-entry table, by array arithmetic."""
    from medseg.kernels.simple_points import SIMPLE_4_8

    shape, size = (4, 4), 16
    bits = ((np.arange(2**size)[:, None] >> np.arange(size)) & 1).astype(np.uint8)
    framed = np.pad(bits.reshape(-1, *shape), ((0, 0), (1, 1), (1, 1)))
    steps = [(dy, dx) for dy in (0, 1, 2) for dx in (0, 1, 2) if (dy, dx) != (1, 1)]
    codes = sum(framed[:, dy : dy + 4, dx : dx + 4].astype(int) << b for b, (dy, dx) in enumerate(steps))
    states, pixels = np.nonzero(SIMPLE_4_8[codes].reshape(-1, size))
    graph = coo_array((np.ones(states.size, bool), (states, states ^ (1 << pixels))), shape=(2**size,) * 2)
    classes = connected_components(graph, directed=False)[1]
    rng = np.random.default_rng(11)
    for label, target in rng.integers(2**size, size=(200, 2)):
        proposal = bits[target].reshape(shape).astype(np.float32)
        warped = homotopic_warp(bits[label].reshape(shape), proposal).reshape(-1)
        assert classes[int((warped << np.arange(size)).sum())] == classes[label]
        optimum = (bits[classes == classes[label]] != bits[target]).sum(axis=1).min()
        assert (warped != bits[target]).sum() >= optimum


def test_order_decides():
    # Column-major ties fill x = 2 first, so that the merge is at x = 3.
    warped = homotopic_warp(np.array([[1, 1, 0, 0, 1, 1]] * 5), np.ones((5, 6)))
    np.testing.assert_array_equal(warped, np.array([[1, 1, 1, 0, 1, 1]] * 5, bool))
    # A farther pixel goes first.
    proposal = np.array([[1, 1, 0.8, 0.9, 1, 1]] * 5)
    warped = homotopic_warp(np.array([[1, 1, 0, 0, 1, 1]] * 5), proposal)
    np.testing.assert_array_equal(warped, np.array([[1, 1, 0, 1, 1, 1]] * 5, bool))


def test_distances_are_compared_in_float32_after_double():
    rng = np.random.default_rng(5)
    label = rng.random((40, 40)) > 0.3
    steps = rng.integers(4, size=label.shape).astype(np.float32)
    proposal = np.float32(0.2) + steps * np.spacing(np.float32(0.2))
    distances = 0.9 - proposal.astype(np.float64)
    assert len(np.unique(distances)) == 4
    assert len(np.unique(distances.astype(np.float32))) == 2  # rounding makes ties that column order decides
    everywhere = np.ones(label.shape, bool)
    expected = literal_warp(label, proposal, 0.9, everywhere)
    np.testing.assert_array_equal(homotopic_warp(label, proposal, 0.9), expected)
    apart = (1 - (distances - distances.min()) * 1e6).astype(np.float32)  # the same order without the ties
    assert (homotopic_warp(label, 0.1 * apart, 0.9) != expected).any()


def test_images_of_different_shapes_are_refused():
    label = np.ones((6, 5), bool)
    for other in (label[:3], label.T, label[:1], np.ones((8, 9), bool)):
        with pytest.raises(ValueError, match="same pixels"):
            homotopic_warp(label, other)
        with pytest.raises(ValueError, match="same pixels"):
            homotopic_warp(label, label, mask=other)
