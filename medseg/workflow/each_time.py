"""Time series of volumes: each time is compared for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medseg.metrics.evaluation_options import EvaluationOptions
from medseg.metrics.kinds import as_kinds, kind_of, one_volume


def each_time(
    prediction: np.ndarray, reference: np.ndarray, options: EvaluationOptions
) -> list[tuple[np.ndarray, np.ndarray, EvaluationOptions]]:
    """Prediction, reference and options of each volume of a series ``(T, Z, Y, X)``; of anything else, as they are.

    A series that is compared section by section stays whole. What the images are is seen in the whole series: a time
    with a single cell is no mask.
    """
    if reference.ndim < 4 or options.volumetric is False:
        return [(prediction, reference, options)]
    sides = as_kinds(prediction, reference, options.prediction_kind, options.reference_kind)
    if not one_volume(*sides, options.volumetric):
        return [(prediction, reference, options)]
    options = replace(options, prediction_kind=kind_of(sides[0]), reference_kind=kind_of(sides[1]))
    return [(*volumes, options) for volumes in zip(*sides, strict=True)]
