"""Measures of segments and objects that overlap, over batches, for MONAI's evaluation loops."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from medseg.metrics.confusion import ConfusionCounts
from medseg.metrics.cumulative import Reduction, StackMetric, at_every_level
from medseg.metrics.foreground import Kind
from medseg.metrics.information import entropies
from medseg.metrics.instances import (
    AP_IOU_THRESHOLDS,
    average_precision_of,
    panoptic_quality_of,
)
from medseg.metrics.overlap import overlaps
from medseg.metrics.rand import Pairs, Region, pair_counts
from medseg.metrics.segments import SWEEP, one_level


class _OverlapMetric(StackMetric):
    """Keeps how images become objects; see `medseg.metrics.overlap.overlaps` for the arguments."""

    thin_borders = False

    def __init__(
        self,
        threshold: float | Sequence[float] | None = None,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        volumetric: bool | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(reduction)
        self.levels = len(SWEEP if threshold is None else np.atleast_1d(threshold))
        self.how = {
            "threshold": threshold,
            "prediction_kind": prediction_kind,
            "reference_kind": reference_kind,
            "volumetric": volumetric,
        }

    def _tables(self, prediction: np.ndarray, reference: np.ndarray) -> Sequence[Sequence]:
        return overlaps(prediction, reference, thin_borders=self.thin_borders, **self.how).tables


class RandErrorMetric(_OverlapMetric):
    """Rand error, 1 - F, of all images as one stack; see `medseg.metrics.rand.rand_error`.

    Args:
        region: `"foreground"` or `"everything"`.
        pairs: `"distinct"` or `"ordered"`.
        threshold, prediction_kind, reference_kind, volumetric: see `medseg.metrics.overlap.overlaps`.
        reduction: see `StackMetric`.
    """

    def __init__(
        self,
        region: Region = "foreground",
        pairs: Pairs = "distinct",
        threshold: float | Sequence[float] | None = None,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        volumetric: bool | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(threshold, prediction_kind, reference_kind, volumetric, reduction)
        self.region, self.pairs = region, pairs

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        rows = []
        for tables in self._tables(prediction, reference):
            counts = [pair_counts(table, self.region, self.pairs) for table in tables]
            total = sum((c for c in counts if c), ConfusionCounts())
            undefined = sum(c is None or c.total == 0 for c in counts)
            defined = sum(c is not None for c in counts)
            rows.append((total.tp, total.fp, total.fn, total.tn, defined, undefined))
        return at_every_level(rows, self.levels)

    def _value(self, sums: np.ndarray) -> float:
        if not sums[:, 4].any():
            return float("nan")
        with_pairs = sums[sums[:, :4].any(axis=1)]  # a grey reference has none left above its maximum
        return 1 - max(ConfusionCounts(*row[:4].tolist()).f_score for row in (with_pairs if len(with_pairs) else sums))

    def _value_of_image(self, sums: np.ndarray) -> float:
        return self._value(sums) if sums[:, :4].any() else float("nan")


class _MeanOverSections(_OverlapMetric):
    """Sums `(sum of F, defined, undefined)`; the value is the largest mean."""

    @abstractmethod
    def _f_score(self, table: Any) -> float | None:
        """F-score of one section, None where it is undefined."""

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        rows = []
        for tables in self._tables(prediction, reference):
            scores = [self._f_score(table) for table in tables]
            defined = [score for score in scores if score is not None]
            rows.append((sum(defined), len(defined), len(scores) - len(defined)))
        return at_every_level(rows, self.levels)

    def _value(self, sums: np.ndarray) -> float:
        scores = sums[sums[:, 1] > 0]
        return float((scores[:, 0] / scores[:, 1]).max()) if len(scores) else float("nan")


class VRandMetric(_MeanOverSections):
    """V_Rand after border thinning, mean over sections; see `medseg.metrics.rand.v_rand`. 1 is best."""

    thin_borders = True

    def _f_score(self, table: Any) -> float | None:
        counts = pair_counts(table, "foreground", "ordered")
        return counts.f_score if counts else None


class VInfoMetric(_MeanOverSections):
    """V_Info after border thinning, mean over sections; see `medseg.metrics.information.v_info`. 1 is best."""

    thin_borders = True

    def _f_score(self, table: Any) -> float | None:
        unit = entropies(table, "foreground")
        return unit.v_info if unit else None


class VariationOfInformationMetric(_OverlapMetric):
    """Variation of information in nats, mean over sections; see `variation_of_information`. 0 is best.

    Args:
        part: `"both"`, or only `"split"` H(prediction | reference) or `"merge"` H(reference | prediction).
        region: `"foreground"` or `"everything"`.
        threshold, prediction_kind, reference_kind, volumetric: see `medseg.metrics.overlap.overlaps`.
        reduction: see `StackMetric`.
    """

    def __init__(
        self,
        part: Literal["both", "split", "merge"] = "both",
        region: Region = "foreground",
        threshold: float | Sequence[float] | None = None,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        volumetric: bool | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(threshold, prediction_kind, reference_kind, volumetric, reduction)
        if part not in ("both", "split", "merge"):
            raise ValueError(f'part {part!r} is not known; use "both", "split" or "merge"')
        self.part, self.region = part, region

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        rows = []
        for tables in self._tables(prediction, reference):
            units = [entropies(table, self.region) for table in tables]
            defined = [unit for unit in units if unit]
            split, merge = sum(u.split for u in defined), sum(u.merge for u in defined)
            rows.append((split, merge, len(defined), len(units) - len(defined)))
        return at_every_level(rows, self.levels)

    def _value(self, sums: np.ndarray) -> float:
        sums = sums[sums[:, 2] > 0]
        if not len(sums):
            return float("nan")
        means = sums[:, :2] / sums[:, 2:3]
        split, merge = means[means.sum(axis=1).argmin()]  # the parts are those of the best threshold
        return float({"both": split + merge, "split": split, "merge": merge}[self.part])


class InstanceAveragePrecisionMetric(_OverlapMetric):
    """Average precision of objects over IoU thresholds; see `medseg.metrics.instances.average_precision`.

    Args:
        iou_thresholds: `(0.5,)` for AP50; default AP50:95.
        threshold: level at which a probability is cut.
        prediction_kind, reference_kind, volumetric: see `medseg.metrics.overlap.overlaps`.
        reduction: see `StackMetric`.
    """

    def __init__(
        self,
        iou_thresholds: Sequence[float] = AP_IOU_THRESHOLDS,
        threshold: float = 0.5,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        volumetric: bool | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(one_level(threshold), prediction_kind, reference_kind, volumetric, reduction)
        self.iou_thresholds = tuple(iou_thresholds)

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        result = average_precision_of(self._tables(prediction, reference)[0], self.iou_thresholds)
        return np.array([(s.counts.tp, s.counts.total, result.undefined) for s in result.scores], np.float64)

    def _value(self, sums: np.ndarray) -> float:
        return float((sums[:, 0] / sums[:, 1]).mean()) if sums[0, 1] else float("nan")


class PanopticQualityMetric(_OverlapMetric):
    """Panoptic quality of one class of objects; see `medseg.metrics.instances.panoptic_quality`.

    MONAI's class of this name takes one-hot classes with an id channel and adds a smoothing term; this one takes
    the label images that the other metrics here take, and adds nothing.

    Args:
        quality: `"pq"`, `"sq"` (mean IoU of matches) or `"rq"` (F1 of matches).
        threshold, prediction_kind, reference_kind, volumetric: see `InstanceAveragePrecisionMetric`.
        reduction: see `StackMetric`.
    """

    def __init__(
        self,
        quality: Literal["pq", "sq", "rq"] = "pq",
        threshold: float = 0.5,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        volumetric: bool | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(one_level(threshold), prediction_kind, reference_kind, volumetric, reduction)
        if quality not in ("pq", "sq", "rq"):
            raise ValueError(f'quality {quality!r} is not known; use "pq", "sq" or "rq"')
        self.quality = quality

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        result = panoptic_quality_of(self._tables(prediction, reference)[0])
        objects = 2 * result.counts.tp + result.counts.fp + result.counts.fn
        return np.array([(result.iou_sum, result.counts.tp, objects, result.undefined)], np.float64)

    def _value(self, sums: np.ndarray) -> float:
        iou_sum, matched, objects, _ = sums[0]
        part, whole = {
            "pq": (2 * iou_sum, objects),
            "sq": (iou_sum, matched),
            "rq": (2 * matched, objects),
        }[self.quality]
        return float(part / whole) if whole else float("nan")
