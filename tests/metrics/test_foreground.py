import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

from medseg.metrics import betti_numbers, topological_warping_error
from medseg.metrics.foreground import foreground_of, foregrounds_of


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64, np.float32])
@pytest.mark.parametrize("factor", [1, 13])
def test_objects_that_vanish_are_counted_whatever_their_ids(dtype, factor):
    for seed in range(20):
        image = (np.random.default_rng(seed).integers(0, 9, (2, 4)) * factor).astype(dtype)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            foreground = foreground_of(image, "labels")
        lost = np.setdiff1d(image[image != 0], image[foreground])
        said = [str(w.message).split(" vanished")[0] for w in caught]
        assert said == ([f"{lost.size} objects (first id: {lost[0]})"] if lost.size else [])


def tissue(shape, cells, seed=0):
    """Label image of cells without gaps, the nearest of random centres, and the ids of those that touch no edge."""
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    labels = KDTree(np.random.default_rng(seed).random((cells, len(shape))) * shape).query(places)[1] + 1
    edges = [np.take(labels, (0, -1), axis) for axis in range(len(shape))]
    return labels, np.setdiff1d(labels, np.concatenate([edge.ravel() for edge in edges]))


def without(labels, ids):
    return np.where(np.isin(labels, ids), 0, labels)


def test_cells_lost_among_touching_ones_are_neither_merges_nor_splits():
    labels, inner = tissue((200, 200), 200)
    holed = without(labels, inner[::8])
    missed, invented = topological_warping_error(holed, labels), topological_warping_error(labels, holed)
    assert (missed.value, invented.value) == (0, 0)
    assert missed.clusters.object_deletion + missed.clusters.hole_deletion >= len(inner[::8]) - 2
    assert invented.clusters.object_addition == len(inner[::8])


def test_cells_lost_in_a_volume_are_hardly_ever_merges():
    labels, inner = tissue((40, 60, 60), 100)
    missed = topological_warping_error(without(labels, inner[::3]), labels, volumetric=True)
    assert missed.clusters.merge <= 1
    assert missed.clusters.object_deletion >= len(inner[::3]) - 4


@given(st.integers(0, 10_000), st.sampled_from([(30, 31), (9, 12, 13)]))
def test_borders_are_brought_into_the_same_places_without_a_change_of_topology(seed, shape):
    labels, inner = tissue(shape, 12, seed)
    holed = without(labels, inner[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # objects that vanish
        alone, reference = foreground_of(holed, "labels"), foreground_of(labels, "labels")
        predicted, truth = foregrounds_of(holed, labels, "labels", "labels")
    assert np.array_equal(truth, reference)
    assert not (predicted & ~alone).any()
    assert betti_numbers(predicted) == betti_numbers(alone)
