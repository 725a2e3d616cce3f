"""Pixel error, Dice and IoU of the foreground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medseg.metrics.confusion import ConfusionCounts
from medseg.metrics.foreground import Kind, foreground_of
from medseg.metrics.kinds import as_kinds, kind_of
from medseg.metrics.segments import as_sections, binarise, one_level, thresholds_for


@dataclass(frozen=True)
class PixelScore:
    """Agreement of the foregrounds at one threshold."""

    threshold: float
    counts: ConfusionCounts

    @property
    def mismatch(self) -> float:
        """Fraction of pixels that differ."""
        return 1 - self.counts.accuracy

    @property
    def dice(self) -> float:
        """2 tp / (2 tp + fp + fn); NaN where there is foreground on neither side."""
        return _ratio(2 * self.counts.tp, 2 * self.counts.tp + self.counts.fp + self.counts.fn)

    @property
    def iou(self) -> float:
        """tp / (tp + fp + fn); NaN where there is foreground on neither side."""
        return _ratio(self.counts.tp, self.counts.tp + self.counts.fp + self.counts.fn)


@dataclass(frozen=True)
class PixelResult:
    """A foreground measure at its best threshold, and at all of them."""

    value: float
    best: PixelScore
    sweep: tuple[PixelScore, ...]


def pixel_error(
    prediction: Any,
    reference: Any,
    *,
    threshold: float | Sequence[float] | None = None,
    prediction_kind: Kind | None = None,
    reference_kind: Kind | None = None,
) -> PixelResult:
    """Pixel error of the ISBI 2012 challenge: 1 - the largest F-score of the foreground.

    Args:
        prediction: `(Y, X)` or a stack `(Z, Y, X)`; numpy or torch. Floats are foreground probabilities,
            compared as float32; bool or integers with one value beside 0 are a mask; other integers are labels,
            whose touching objects are parted by one pixel in each section.
        reference: same shape; mask or labels.
        threshold: one level or several. Default: the eleven of the challenge, for probabilities.
        prediction_kind, reference_kind: `"probability"`, `"binary"` or `"labels"`, instead of looking.

    Returns:
        `PixelResult`; the counts are sums over all sections. Empty images are equal: error 0.

    Raises:
        InputError: shapes differ, no pixels, NaN, probabilities outside 0..1, negative ids.

    Source: Arganda-Carreras et al., Frontiers in Neuroanatomy 9:142, 2015.
    """
    predicted, truth = as_kinds(prediction, reference, prediction_kind, reference_kind)
    return pixel_error_of(pixel_scores(predicted, truth, thresholds_for(kind_of(predicted), threshold)))


def pixel_error_of(sweep: Sequence[PixelScore]) -> PixelResult:
    """Pixel error from scores already counted."""
    best = max(sweep, key=lambda score: score.counts.f_score)
    return PixelResult(1 - best.counts.f_score, best, tuple(sweep))


def dice(prediction: Any, reference: Any, *, threshold: float = 0.5) -> PixelResult:
    """Dice coefficient of the foregrounds (every labelled pixel), NaN if both are empty."""
    score = foreground_score(*as_kinds(prediction, reference), threshold=one_level(threshold))
    return PixelResult(score.dice, score, (score,))


def iou(prediction: Any, reference: Any, *, threshold: float = 0.5) -> PixelResult:
    """Intersection over union of the foregrounds (every labelled pixel), NaN if both are empty."""
    score = foreground_score(*as_kinds(prediction, reference), threshold=one_level(threshold))
    return PixelResult(score.iou, score, (score,))


def pixel_scores(
    prediction: np.ndarray,
    reference: np.ndarray,
    thresholds: Sequence[float],
) -> tuple[PixelScore, ...]:
    """Scores of arrays from `as_kinds` at each threshold; the reference's foreground is what exceeds 0."""
    counts = [ConfusionCounts() for _ in thresholds]
    for p, r in zip(as_sections(prediction), as_sections(reference), strict=True):
        foreground, truth = foreground_of(p, kind_of(p)), foreground_of(r, kind_of(r)) > 0
        for t, threshold in enumerate(thresholds):
            counts[t] += _count(binarise(foreground, threshold), truth)
    return tuple(PixelScore(t, c) for t, c in zip(thresholds, counts, strict=True))


def foreground_score(prediction: np.ndarray, reference: np.ndarray, *, threshold: float) -> PixelScore:
    """Score of all labelled pixels: touching objects stay whole; probabilities are cut at `threshold`."""
    predicted = binarise(prediction, threshold) if kind_of(prediction) == "probability" else prediction != 0
    return PixelScore(threshold, _count(predicted, reference > 0))


def _count(predicted: np.ndarray, truth: np.ndarray) -> ConfusionCounts:
    tp = int(np.count_nonzero(predicted & truth))
    positive, true = int(np.count_nonzero(predicted)), int(np.count_nonzero(truth))
    return ConfusionCounts(tp, positive - tp, true - tp, truth.size - positive - true + tp)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
