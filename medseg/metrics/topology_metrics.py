"""Betti number error and clDice over batches, for MONAI's evaluation loops."""

from __future__ import annotations

import numpy as np

from medseg.metrics.betti import BettiError, betti_error_of, betti_sums
from medseg.metrics.centerline import CenterlineScore, centerline_counts
from medseg.metrics.cumulative import Reduction, StackMetric
from medseg.metrics.foreground import Kind
from medseg.metrics.segments import one_level
from medseg.metrics.topology_units import mask_units


class BettiErrorMetric(StackMetric):
    """Betti number error, mean over all windows of all images; see `medseg.metrics.betti.betti_error`.

    It is defined for every image.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        window: int | None = None,
        volumetric: bool | None = None,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(reduction)
        self.window = window
        self.how = one_level(threshold), volumetric, True, prediction_kind, reference_kind

    def result(self) -> BettiError:
        """Pieces, holes and cavities of all images so far."""
        return self._result(self._buffered().sum(axis=(0, 1)))

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        sums, windows = betti_sums(mask_units(prediction, reference, *self.how), self.window)
        return np.array([[*sums, windows, 0]])

    def _value(self, sums: np.ndarray) -> float:
        return self._result(sums).value

    def _result(self, sums: np.ndarray) -> BettiError:
        return betti_error_of(sums[0, :3], int(sums[0, 3]))


class CenterlineDiceMetric(StackMetric):
    """clDice of all images as one stack; see `medseg.metrics.centerline.cl_dice`."""

    def __init__(
        self,
        threshold: float = 0.5,
        volumetric: bool | None = None,
        prediction_kind: Kind | None = None,
        reference_kind: Kind | None = None,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(reduction)
        self.how = one_level(threshold), volumetric, False, prediction_kind, reference_kind

    def result(self) -> CenterlineScore:
        """Precision and sensitivity of the centrelines of all images so far."""
        return self._result(self._buffered().sum(axis=(0, 1)))

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        counts = centerline_counts(mask_units(prediction, reference, *self.how))
        return np.array([[*counts, not counts.any()]])

    def _value(self, sums: np.ndarray) -> float:
        return self._result(sums).value

    def _result(self, sums: np.ndarray) -> CenterlineScore:
        return CenterlineScore(*sums[0, :4].astype(int).tolist())
