"""Which predicted object is which reference object: intersections over unions, and one-to-one matches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medseg.errors import InputError
from medseg.kernels.contingency import ContingencyTable


@dataclass(frozen=True, eq=False)
class ObjectOverlap:
    """Objects of both sides, and the pairs among them that share a voxel.

    `reference`, `prediction`: index of each pair's objects into the ids and sizes; `intersection`, `iou`: of
    each pair. Pairs are sorted by reference, then prediction.
    """

    reference_ids: np.ndarray
    reference_sizes: np.ndarray
    prediction_ids: np.ndarray
    prediction_sizes: np.ndarray
    reference: np.ndarray
    prediction: np.ndarray
    intersection: np.ndarray
    iou: np.ndarray


@dataclass(frozen=True, eq=False)
class Matches:
    """Indices of matched objects (into the ids of an `ObjectOverlap`) and their IoU."""

    reference: np.ndarray
    prediction: np.ndarray
    iou: np.ndarray


def object_overlap(table: ContingencyTable) -> ObjectOverlap:
    """IoU of every pair of objects that overlap; rows are the reference, ids 0 the background."""
    row, column = table.row_marginal, table.column_marginal
    reference, prediction = row.ids != 0, column.ids != 0
    objects = (table.rows != 0) & (table.columns != 0)
    row_index = (np.cumsum(reference) - 1)[row.index[objects]]
    column_index = (np.cumsum(prediction) - 1)[column.index[objects]]
    reference_sizes, prediction_sizes = row.counts[reference], column.counts[prediction]
    intersection = table.counts[objects]
    union = reference_sizes[row_index] + prediction_sizes[column_index] - intersection
    return ObjectOverlap(
        row.ids[reference],
        reference_sizes,
        column.ids[prediction],
        prediction_sizes,
        row_index,
        column_index,
        intersection,
        intersection / union,
    )


def match_objects(overlap: ObjectOverlap, iou_threshold: float = 0.5) -> Matches:
    """One-to-one matches of objects whose IoU is at least `iou_threshold`, above 0 up to 1.

    From 0.5 on an object has at most one partner, save for two exact halves, of which the first is taken.
    Below, the largest number of matches is found, and among such matchings the one of largest total IoU.
    """
    if not 0 < iou_threshold <= 1:
        raise InputError(f"iou_threshold: {iou_threshold} cannot be used; give a number above 0, up to 1")
    candidates = np.flatnonzero(overlap.iou >= iou_threshold)
    if iou_threshold >= 0.5:
        chosen = candidates[_first_of_each(overlap.reference[candidates])]
        chosen = chosen[_first_of_each(overlap.prediction[chosen])]
    else:
        chosen = _assign(overlap, candidates)
    return Matches(overlap.reference[chosen], overlap.prediction[chosen], overlap.iou[chosen])


def _first_of_each(values: np.ndarray) -> np.ndarray:
    return np.sort(np.unique(values, return_index=True)[1])


def _assign(overlap: ObjectOverlap, candidates: np.ndarray) -> np.ndarray:
    """Solve the assignment in each connected group of candidate pairs; the groups are small."""
    n = overlap.reference_ids.size
    nodes = n + overlap.prediction_ids.size
    left, right = overlap.reference[candidates], overlap.prediction[candidates] + n
    graph = coo_array((np.ones(candidates.size), (left, right)), shape=(nodes, nodes))
    group = connected_components(graph, directed=False)[1][left]
    order = np.argsort(group, kind="stable")
    chosen = [np.zeros(0, np.intp)]
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if order.size else []:
        pairs = candidates[members]
        rows, row = np.unique(overlap.reference[pairs], return_inverse=True)
        columns, column = np.unique(overlap.prediction[pairs], return_inverse=True)
        gain = np.zeros((rows.size, columns.size))
        # One more match weighs more than all IoUs of the group together.
        gain[row, column] = 1 + overlap.iou[pairs] / (2 * min(gain.shape))
        best = linear_sum_assignment(gain, maximize=True)
        taken = np.zeros(gain.shape, bool)
        taken[best] = gain[best] > 0
        chosen.append(pairs[taken[row, column]])
    return np.sort(np.concatenate(chosen))
