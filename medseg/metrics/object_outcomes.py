"""What became of each object: found, missed, merged with another, split into pieces, or made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medseg.kernels.contingency import ContingencyTable
from medseg.metrics.matching import Matches, ObjectOverlap, match_objects, object_overlap

OUTCOMES = ("matched", "merged", "split", "missed", "merger", "piece", "extra")
"""Of reference objects the first four, of predicted objects without a partner the last three."""


@dataclass(frozen=True)
class ObjectOutcome:
    """One reference object, or one predicted object that matches none.

    `reference_id`, `prediction_id`: the two objects; of one without a partner, the other is that of largest IoU, 0
    where nothing overlaps it. `iou`: of the two. Sizes in pixels (voxels), 0 where there is no object.
    """

    outcome: str
    reference_id: int
    prediction_id: int
    iou: float
    reference_size: int
    prediction_size: int


def object_outcomes(table: ContingencyTable, iou_threshold: float = 0.5) -> tuple[ObjectOutcome, ...]:
    """What became of each object of one unit.

    A reference object is

    * `matched`: a predicted object has an IoU of at least `iou_threshold` with it, one to one as for average precision;
    * `merged`: else, one predicted object holds more than half of it, and of another reference object too;
    * `split`: else, two or more predicted objects lie in it with more than half of their pixels;
    * `missed`: else; the IoU tells an outline that is far off from nothing at all.

    A predicted object without a partner is a `merger` if it holds more than half of several reference objects; a
    `piece` if it is one of several that lie in one reference object with more than half of their pixels; else `extra`.

    Args:
        table: overlaps of the unit, rows the reference's ids, 0 = background.
        iou_threshold: above 0, up to 1.

    Returns:
        Reference objects by id, then predicted objects without a partner by id.

    Raises:
        InputError: an IoU threshold that cannot be used.
    """
    overlap = object_overlap(table)
    matches = match_objects(overlap, iou_threshold)
    references, predictions = len(overlap.reference_ids), len(overlap.prediction_ids)
    held = 2 * overlap.intersection > overlap.reference_sizes[overlap.reference]
    inside = 2 * overlap.intersection > overlap.prediction_sizes[overlap.prediction]
    holds = np.bincount(overlap.prediction[held], minlength=predictions)
    pieces = np.bincount(overlap.reference[inside], minlength=references)
    merged, piece = np.zeros(references, bool), np.zeros(predictions, bool)
    merged[overlap.reference[held]] = holds[overlap.prediction[held]] > 1
    piece[overlap.prediction[inside]] = pieces[overlap.reference[inside]] > 1
    of_reference = np.select([merged, pieces > 1], ["merged", "split"], "missed").astype(object)
    of_prediction = np.select([holds > 1, piece], ["merger", "piece"], "extra").astype(object)
    of_reference[matches.reference] = "matched"
    alone = np.setdiff1d(np.arange(predictions), matches.prediction)
    to_prediction, to_reference = _partners(overlap, matches)
    rows = [_row(overlap, of_reference[r], r, *to_prediction.get(r, (-1, 0.0))) for r in range(references)]
    for p in alone.tolist():
        reference, iou = to_reference.get(p, (-1, 0.0))
        rows.append(_row(overlap, of_prediction[p], reference, p, iou))
    return tuple(rows)


def _partners(overlap: ObjectOverlap, matches: Matches) -> tuple[dict, dict]:
    """For each object of either side its match, else the one of largest IoU (the lower id of equals), and the IoU."""
    to_prediction: dict[int, tuple[int, float]] = {}
    to_reference: dict[int, tuple[int, float]] = {}
    best_last = np.lexsort((-overlap.prediction, -overlap.reference, overlap.iou))
    for pairs in ((overlap, best_last), (matches, np.arange(len(matches.iou)))):
        found, order = pairs
        for r, p, iou in zip(*(a[order].tolist() for a in (found.reference, found.prediction, found.iou)), strict=True):
            to_prediction[r] = p, iou
            to_reference[p] = r, iou
    return to_prediction, to_reference


def _row(overlap: ObjectOverlap, outcome: str, reference: int, prediction: int, iou: float) -> ObjectOutcome:
    def of(values: np.ndarray, index: int) -> int:
        return int(values[index]) if index >= 0 else 0

    return ObjectOutcome(
        outcome,
        of(overlap.reference_ids, reference),
        of(overlap.prediction_ids, prediction),
        iou,
        of(overlap.reference_sizes, reference),
        of(overlap.prediction_sizes, prediction),
    )
