"""The topological warping error over batches, for MONAI's evaluation loops."""

from collections.abc import Sequence

import numpy as np

from medseg.kernels.mismatches import CLASSES
from medseg.metrics.cumulative import Reduction, StackMetric, at_every_level
from medseg.metrics.image_pair import ImagePair
from medseg.metrics.warping import CHALLENGE_THRESHOLDS, effective_thresholds, levels_for
from medseg.metrics.warping_score import WarpingError, summarise


class WarpingErrorMetric(StackMetric):
    """Topological warping error of batches ``(B, C, Y, X)`` or ``(B, C, Z, Y, X)``, as one stack.

    ``y_pred`` and ``y`` are what :func:`medseg.metrics.warping.topological_warping_error` takes, each channel
    an image of its own. Counts are buffered, not values: the minimum over the challenge's sweep is taken
    after all images are summed. The error is defined for every image, so ``undefined`` is always 0.

    Args:
        threshold: one level or several; default: the challenge's sweep (masks and labels: 0 only).
        radius: window of the split test in pixels; None = whole image.
        volumetric: ``(Z, Y, X)`` is one volume instead of a stack of sections.
        reduction: see :class:`medseg.metrics.cumulative.StackMetric`.
    """

    def __init__(
        self,
        threshold: float | Sequence[float] | None = None,
        radius: int | None = 20,
        volumetric: bool = False,
        reduction: Reduction = "stack",
    ) -> None:
        super().__init__(reduction)
        self.thresholds = None if threshold is None else effective_thresholds(threshold)
        self.levels = self.thresholds or CHALLENGE_THRESHOLDS
        self.radius = radius
        self.volumetric = volumetric

    def result(self) -> WarpingError:
        """Everything about all images so far as one stack: value, classes, sweep."""
        return self._summary(self._buffered().sum(axis=(0, 1)))

    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Per level: pixels and clusters of each class code, size of the image, 0 undefined."""
        pair = ImagePair.of(prediction, reference, None, radius=self.radius, volumetric=self.volumetric)
        thresholds = levels_for(pair.prediction_kind, self.thresholds)
        counts = [(*row.flat, reference.size, 0) for row in pair.count(thresholds)]
        return at_every_level(counts, len(self.levels))

    def _value(self, sums: np.ndarray) -> float:
        return self._summary(sums).value

    def _summary(self, sums: np.ndarray) -> WarpingError:
        *counts, size, _ = sums.T.astype(np.int64)
        return summarise(np.stack(counts, axis=1).reshape(-1, 2, len(CLASSES) + 1), int(size[0]), self.levels)
