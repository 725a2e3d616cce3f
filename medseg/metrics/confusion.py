"""Counts of agreement and error, and the scores that follow from them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConfusionCounts:
    """True and false positives and negatives: of pixels, of pairs of pixels, or of objects. They add.

    Conventions of the ISBI 2012 challenge: precision is 1 if nothing is falsely positive and recall is 1 if
    nothing is missed, even where there is nothing at all; F is 0 where both are 0.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: ConfusionCounts) -> ConfusionCounts:
        if not isinstance(other, ConfusionCounts):
            return NotImplemented
        return ConfusionCounts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def total(self) -> int:
        """All that was counted."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def precision(self) -> float:
        """tp / (tp + fp)."""
        return 1.0 if self.fp == 0 else self.tp / (self.tp + self.fp)

    @property
    def recall(self) -> float:
        """tp / (tp + fn)."""
        return 1.0 if self.fn == 0 else self.tp / (self.tp + self.fn)

    @property
    def f_score(self) -> float:
        """Harmonic mean of precision and recall."""
        precision, recall = self.precision, self.recall
        return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)

    @property
    def accuracy(self) -> float:
        """(tp + tn) / total, which is the Rand index if pairs were counted; NaN of nothing."""
        return (self.tp + self.tn) / self.total if self.total else float("nan")
