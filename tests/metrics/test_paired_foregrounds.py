import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree
from skimage.measure import label

from medseg.kernels.components import label_components
from medseg.metrics import betti_numbers, topological_warping_error
from medseg.metrics.foreground import foreground_of
from medseg.metrics.paired_foregrounds import foregrounds_of
from medseg.metrics.warping_score import MismatchCounts


def tissue(shape, cells, seed=0):
    """Label image of cells without gaps, the nearest of random centres, and the ids of those that touch no edge."""
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    labels = KDTree(np.random.default_rng(seed).random((cells, len(shape))) * shape).query(places)[1] + 1
    edges = [np.take(labels, (0, -1), axis) for axis in range(len(shape))]
    return labels, np.setdiff1d(labels, np.concatenate([edge.ravel() for edge in edges]))


def without(labels, ids):
    return np.where(np.isin(labels, ids), 0, labels)


def test_cells_lost_or_invented_among_touching_ones_are_that_and_nothing_else():
    labels, inner = tissue((200, 200), 200)
    holed = without(labels, inner[::8])
    missed, invented = topological_warping_error(holed, labels), topological_warping_error(labels, holed)
    assert missed.clusters == MismatchCounts(0, 0, 0, 0, 0, len(inner[::8]))
    assert invented.clusters == MismatchCounts(0, 0, 0, 0, len(inner[::8]), 0)


def test_cells_lost_or_invented_in_a_volume_are_hardly_ever_merges():
    labels, inner = tissue((40, 60, 60), 100)
    holed = without(labels, inner[::3])
    missed = topological_warping_error(holed, labels, volumetric=True)
    invented = topological_warping_error(labels, holed, volumetric=True)
    assert missed.clusters.merge + missed.clusters.split <= 1
    assert missed.clusters.object_deletion >= len(inner[::3]) - 1
    assert invented.clusters.merge + invented.clusters.split <= 1
    assert invented.clusters.object_addition >= len(inner[::3]) - 1


def test_the_only_object_of_a_label_image_touches_none_but_is_compared_as_one():
    labels = np.zeros((20, 30), np.uint8)
    labels[4:16, 4:15], labels[4:16, 15:26] = 1, 2
    for lost in (1, 2):
        alone = without(labels, lost)
        assert topological_warping_error(alone, labels).clusters == MismatchCounts(0, 0, 0, 0, 0, 1)
        assert topological_warping_error(labels, alone).clusters == MismatchCounts(0, 0, 0, 0, 1, 0)


def test_a_piece_that_parting_cuts_off_is_neither_split_nor_lost():
    labels = np.ones((12, 16), np.uint8)
    labels[5:, :10] = 2
    labels[4, 3:6] = 2  # a bump that leaves the first cell, where it is thin, no pixel above it
    labels[:3, :6] = 3
    labels[3, :6] = 1
    assert label_components(foreground_of(labels, "labels"), 4)[1] > 3
    shrunk = labels.copy()
    shrunk[3:5, :6][labels[3:5, :6] == 1] = 0
    for sides in ((shrunk, labels), (labels, shrunk)):
        assert topological_warping_error(*sides).clusters == MismatchCounts(0, 0, 0, 0, 0, 0)


def test_large_pieces_that_parting_cuts_apart_stay():
    labels = np.ones((30, 60), np.uint8)
    labels[5:25, 5:28] = labels[5:25, 32:55] = labels[14, 28:32] = 2  # a dumbbell; its bar is too thin
    half = labels.copy()
    half[5:25, 32:55] = 0
    assert topological_warping_error(half, labels).clusters == MismatchCounts(0, 0, 0, 0, 0, 1)


@given(st.integers(0, 10_000), st.sampled_from([(30, 31), (9, 12, 13)]))
def test_borders_in_the_same_places_leave_no_scraps_and_change_no_topology(seed, shape):
    labels, inner = tissue(shape, 12, seed)
    holed = without(labels, inner[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # objects that vanish
        sides = foregrounds_of(holed, labels, "labels", "labels")
        for side, image in zip(sides, (holed, labels), strict=True):
            alone = foreground_of(image, "labels")
            pieces, objects = label_components(alone, 2 * alone.ndim)[0], label(image, background=0, connectivity=1)
            sizes = np.bincount(pieces.ravel())
            for one in np.unique(objects[alone]):
                own = np.unique(pieces[alone & (objects == one)])
                alone[np.isin(pieces, own[4 * sizes[own] < sizes[own].max()])] = False
            assert not (side & ~alone).any()
            assert betti_numbers(side) == betti_numbers(alone)
