"""clDice: do the centrelines of thin, branching structures lie in each other?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from medseg.metrics.foreground import Kind
from medseg.metrics.segments import one_level
from medseg.metrics.topology_units import mask_units


@dataclass(frozen=True)
class CenterlineScore:
    """Pixels of both skeletons, and how many of them the other side's foreground covers."""

    predicted: int
    predicted_inside: int
    true: int
    true_inside: int

    @property
    def precision(self) -> float:
        """Share of the predicted skeleton that lies in the reference; NaN without one."""
        return self.predicted_inside / self.predicted if self.predicted else float("nan")

    @property
    def sensitivity(self) -> float:
        """Share of the reference's skeleton that lies in the prediction; NaN without one."""
        return self.true_inside / self.true if self.true else float("nan")

    @property
    def value(self) -> float:
        """clDice, harmonic mean of both: 1 is perfect; 0 where one side is empty, NaN where both are."""
        if not (self.predicted and self.true):
            return 0.0 if self.predicted or self.true else float("nan")
        precision, sensitivity = self.precision, self.sensitivity
        return 2 * precision * sensitivity / (precision + sensitivity) if precision + sensitivity else 0.0


def cl_dice(
    prediction: Any,
    reference: Any,
    *,
    threshold: float = 0.5,
    volumetric: bool | None = None,
    prediction_kind: Kind | None = None,
    reference_kind: Kind | None = None,
) -> CenterlineScore:
    """clDice of tubular foregrounds: vessels, neurites, membranes, roads.

    Cell interiors are no tubes: where membranes are what counts and cells are the foreground, give `1 -` of both.

    Args:
        prediction: `(Y, X)`, a stack or a volume `(Z, Y, X)`; numpy or torch. Floats are foreground
            probabilities 0..1, compared as float32; bool or integers with one value beside 0 are a mask; of labels
            every labelled pixel is foreground.
        reference: same shape; mask or labels.
        threshold: where a probability is cut.
        volumetric: skeletons of the whole array. Default: yes for two label images, otherwise section by section, whose
            counts are added up.
        prediction_kind, reference_kind: `"probability"`, `"binary"` or `"labels"`, instead of looking.

    Raises:
        InputError: shapes differ, no pixels, NaN, probabilities outside 0..1, negative ids, more than three axes as
            one volume.

    Source: Shit et al., clDice, CVPR 2021, eq. 1-2; skeletons by scikit-image.
    """
    units = mask_units(prediction, reference, one_level(threshold), volumetric, False, prediction_kind, reference_kind)
    return CenterlineScore(*centerline_counts(units).tolist())


def centerline_counts(units: Iterator[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The four counts of `CenterlineScore`, `int64 (4,)`, added up over pairs of masks."""
    from skimage.morphology import skeletonize  # slow to import, and most evaluations need no skeleton

    counts = np.zeros(4, np.int64)
    for predicted, truth in units:
        of_prediction, of_truth = skeletonize(predicted), skeletonize(truth)
        found = of_prediction, of_prediction & truth, of_truth, of_truth & predicted
        counts += [np.count_nonzero(part) for part in found]
    return counts
