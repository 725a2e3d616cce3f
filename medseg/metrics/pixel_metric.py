"""The pixel error over batches, for MONAI's evaluation loops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medseg.metrics.confusion import ConfusionCounts
from medseg.metrics.cumulative import Reduction, StackMetric, at_every_level
from medseg.metrics.foreground import Kind
from medseg.metrics.pixel import pixel_error
from medseg.metrics.segments import SWEEP


class PixelErrorMetric(StackMetric):
    """Pixel error, 1 - F of the foreground, of all images as one stack; see `medseg.metrics.pixel.pixel_error`.

    It is defined for every image.
    """

    def __init__(
        self,
        threshold: float | Sequence[float] | None = None,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(reduction)
        self.levels = len(SWEEP if threshold is None else np.atleast_1d(threshold))
        self.how = {
            "threshold": threshold,
            "prediction_kind": prediction_kind,
            "reference_kind": reference_kind,
        }

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        counts = [score.counts for score in pixel_error(prediction, reference, **self.how).sweep]
        return at_every_level([(c.tp, c.fp, c.fn, c.tn, 0) for c in counts], self.levels)

    def _value(self, sums: np.ndarray) -> float:
        return 1 - max(ConfusionCounts(*row[:4].tolist()).f_score for row in sums)
