"""Object by object: average precision, panoptic quality, F1 at an IoU, aggregated Jaccard index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medseg.kernels.contingency import ContingencyTable
from medseg.metrics.confusion import ConfusionCounts
from medseg.metrics.matching import match_objects, object_overlap
from medseg.metrics.overlap import overlaps
from medseg.metrics.segments import one_level

AP_IOU_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""IoU thresholds of AP50:95; written out, so that an IoU of 11/20 reaches 0.55."""


@dataclass(frozen=True)
class ObjectScore:
    """Objects matched one to one at an IoU of at least `iou_threshold`."""

    iou_threshold: float
    counts: ConfusionCounts
    """tp: matched; fp: predicted without a partner; fn: reference objects without a partner."""

    @property
    def average_precision(self) -> float:
        """tp / (tp + fp + fn); NaN where there is no object on either side."""
        return _ratio(self.counts.tp, self.counts.total)

    @property
    def f1(self) -> float:
        """2 tp / (2 tp + fp + fn); NaN where there is no object on either side."""
        return _ratio(2 * self.counts.tp, self.counts.total + self.counts.tp)


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision over IoU thresholds."""

    value: float
    """Mean over the thresholds; NaN where there is no object on either side."""
    scores: tuple[ObjectScore, ...]
    units: int
    """Sections or volumes compared."""
    undefined: int
    """How many have no object on either side; they add nothing to the counts."""


@dataclass(frozen=True)
class PanopticQuality:
    """Panoptic quality = segmentation quality x recognition quality."""

    value: float
    segmentation_quality: float
    """Mean IoU of the matches; NaN without any."""
    recognition_quality: float
    """tp / (tp + fp / 2 + fn / 2)."""
    counts: ConfusionCounts
    iou_sum: float
    units: int
    undefined: int


@dataclass(frozen=True)
class AggregatedJaccard:
    """Aggregated Jaccard index: pixels of best intersections / pixels of their unions and of what is left."""

    value: float
    intersection: int
    union: int
    units: int
    undefined: int


def average_precision(
    prediction: Any,
    reference: Any,
    *,
    iou_thresholds: Sequence[float] = AP_IOU_THRESHOLDS,
    threshold: float = 0.5,
    **how: Any,
) -> AveragePrecision:
    """Average precision of objects, tp / (tp + fp + fn) at each IoU threshold, as of the Data Science Bowl 2018.

    Args:
        prediction, reference: images of one shape, in which objects are ids or connected components; see
            `medseg.metrics.overlap.overlaps` for their kinds and for the further arguments `volumetric`,
            `prediction_kind`, `reference_kind`.
        iou_thresholds: from above 0 to 1; an IoU equal to one of them matches.
        threshold: level at which a probability is cut.

    Returns:
        `AveragePrecision`; with one IoU threshold of 0.5 its value is AP50, with the default AP50:95. It is not
        the area under a precision-recall curve, for which objects would need scores.

    Raises:
        InputError: see `overlaps`; or an IoU threshold that cannot be used.
    """
    return average_precision_of(_at(prediction, reference, threshold, how), iou_thresholds)


def f1_score(
    prediction: Any, reference: Any, *, iou_threshold: float = 0.5, threshold: float = 0.5, **how: Any
) -> ObjectScore:
    """F1 of objects matched at one IoU threshold; arguments as for `average_precision`."""
    return average_precision_of(_at(prediction, reference, threshold, how), (iou_threshold,)).scores[0]


def panoptic_quality(prediction: Any, reference: Any, *, threshold: float = 0.5, **how: Any) -> PanopticQuality:
    """Panoptic quality of one class of objects, matched where IoU > 0.5; arguments as for `average_precision`.

    NaN where there is no object on either side.

    Source: Kirillov et al., CVPR 2019.
    """
    return panoptic_quality_of(_at(prediction, reference, threshold, how))


def aggregated_jaccard_index(
    prediction: Any, reference: Any, *, threshold: float = 0.5, **how: Any
) -> AggregatedJaccard:
    """Aggregated Jaccard index; arguments as for `average_precision`.

    Each reference object takes the predicted object of largest IoU (the lower id of equals; one may be taken
    twice, as published); predicted objects that none took add to the union. NaN without any object.

    Source: Kumar et al., IEEE Transactions on Medical Imaging 36(7), 2017.
    """
    return aggregated_jaccard_of(_at(prediction, reference, threshold, how))


def average_precision_of(
    tables: Iterable[ContingencyTable], iou_thresholds: Sequence[float] = AP_IOU_THRESHOLDS
) -> AveragePrecision:
    """Average precision of several units, their objects taken together."""
    counts = [ConfusionCounts() for _ in iou_thresholds]
    units = undefined = 0
    for table in tables:
        overlap = object_overlap(table)
        reference, predicted = overlap.reference_ids.size, overlap.prediction_ids.size
        for i, iou_threshold in enumerate(iou_thresholds):
            tp = match_objects(overlap, iou_threshold).iou.size
            counts[i] += ConfusionCounts(tp, predicted - tp, reference - tp)
        units += 1
        undefined += reference + predicted == 0
    scores = tuple(ObjectScore(t, c) for t, c in zip(iou_thresholds, counts, strict=True))
    return AveragePrecision(float(np.mean([s.average_precision for s in scores])), scores, units, undefined)


def panoptic_quality_of(tables: Iterable[ContingencyTable]) -> PanopticQuality:
    """Panoptic quality of several units, their objects taken together."""
    counts, iou_sum, units, undefined = ConfusionCounts(), 0.0, 0, 0
    for table in tables:
        overlap = object_overlap(table)
        ious = overlap.iou[overlap.iou > 0.5]  # nobody has two partners above one half
        reference, predicted = overlap.reference_ids.size, overlap.prediction_ids.size
        counts += ConfusionCounts(ious.size, predicted - ious.size, reference - ious.size)
        iou_sum += float(ious.sum())
        units += 1
        undefined += reference + predicted == 0
    denominator = counts.tp + counts.fp / 2 + counts.fn / 2
    return PanopticQuality(
        _ratio(iou_sum, denominator),
        _ratio(iou_sum, counts.tp),
        _ratio(counts.tp, denominator),
        counts,
        iou_sum,
        units,
        undefined,
    )


def aggregated_jaccard_of(tables: Iterable[ContingencyTable]) -> AggregatedJaccard:
    """Aggregated Jaccard index of several units, their pixels taken together."""
    intersection = union = units = undefined = 0
    for table in tables:
        overlap = object_overlap(table)
        # Best pair of each reference object: largest IoU first, then the lower predicted id.
        order = np.lexsort((overlap.prediction, -overlap.iou, overlap.reference))
        found, first = np.unique(overlap.reference[order], return_index=True)
        best = order[first]
        missed = np.delete(overlap.reference_sizes, found)
        left_over = np.delete(overlap.prediction_sizes, np.unique(overlap.prediction[best]))
        shared = overlap.intersection[best]
        pair_sizes = overlap.reference_sizes[found] + overlap.prediction_sizes[overlap.prediction[best]]
        intersection += int(shared.sum())
        union += int((pair_sizes - shared).sum() + missed.sum() + left_over.sum())
        units += 1
        undefined += overlap.reference_ids.size + overlap.prediction_ids.size == 0
    return AggregatedJaccard(_ratio(intersection, union), intersection, union, units, undefined)


def _at(prediction: Any, reference: Any, threshold: float, how: dict) -> tuple[ContingencyTable, ...]:
    return overlaps(prediction, reference, threshold=one_level(threshold), **how).tables[0]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
