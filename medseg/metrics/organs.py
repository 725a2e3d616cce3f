"""Dice, surface Dice, HD95 and volume of organs: labels whose values mean the same in every volume."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice
from scipy.ndimage import find_objects

from medseg.errors import InputError

TOLERANCE_MM = 2.0
_MOST_LABELS = 65535


@dataclass(frozen=True)
class OrganScore:
    """One organ of one case, or a mean over cases or organs; None is undefined.

    An organ that only one side has scores Dice 0 and surface Dice 0 and has no HD95: it counts in the means of the
    first two, not in that of HD95. One that neither side has counts nowhere.
    """

    dice: float | None
    surface_dice: float | None
    hd95_mm: float | None
    prediction_ml: float | None
    reference_ml: float | None
    counted: int
    """Cases with the organ on at least one side."""
    not_found: int
    """Of these, cases in which only the reference has it."""
    not_in_reference: int
    """Of these, cases in which only the prediction has it."""
    on_neither_side: int
    """Cases that are not counted."""

    def as_json(self) -> dict[str, float | int | None]:
        """The values by name."""
        return asdict(self)


SCORES = ("dice", "surface_dice", "hd95_mm", "prediction_ml", "reference_ml")
COUNTS = ("counted", "not_found", "not_in_reference", "on_neither_side")
ON_NEITHER_SIDE = OrganScore(None, None, None, None, None, 0, 0, 0, 1)


def score_organs(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Sequence[float],
    labels: Iterable[int],
    tolerance_mm: float = TOLERANCE_MM,
) -> dict[int, OrganScore]:
    """Score each label with MONAI's ``compute_dice``, ``compute_surface_dice`` and ``compute_hausdorff_distance``.

    Args:
        prediction, reference: ``(X, Y, Z)`` integer label volumes of one grid, 0 = background.
        spacing_mm: voxel size along each axis.
        labels: values to score, positive.
        tolerance_mm: surfaces at most so far apart agree.

    Returns:
        Scores by label. HD95 is the larger one of the two directions' 95th percentiles.

    Raises:
        InputError: volumes of different shapes or without three axes, not integers, a tolerance below 0 or infinite,
            a label beyond 1 to 65535.
    """
    labels = list(labels)
    if prediction.shape != reference.shape or reference.ndim != 3:
        raise InputError(f"organs are compared in volumes of one grid, not in {prediction.shape} and {reference.shape}")
    if prediction.dtype.kind not in "ui" or reference.dtype.kind not in "ui":
        raise InputError(f"label volumes hold integers, not {prediction.dtype} and {reference.dtype}")
    if not 0 <= tolerance_mm < math.inf:
        raise InputError(f"a tolerance of {tolerance_mm} mm: give one from 0")
    if wrong := [label for label in labels if not 1 <= label <= _MOST_LABELS]:
        raise InputError(f"values of organs are 1 to {_MOST_LABELS}, not {wrong[0]}")
    sides = (prediction, reference)
    boxes = [find_objects(side, max_label=max(labels, default=1)) for side in sides]
    scores = {}
    for label in labels:
        found = [places[label - 1] for places in boxes]
        if present := [box for box in found if box]:
            whole = tuple(
                slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*present, strict=True)
            )
            scores[label] = _score(*(side[whole] == label for side in sides), spacing_mm, tolerance_mm)
        else:
            scores[label] = ON_NEITHER_SIDE
    return scores


def mean_over_cases(scores: Sequence[OrganScore]) -> OrganScore:
    """Mean of one organ over the cases that have it on a side; the counts are added."""
    counts = {name: sum(getattr(score, name) for score in scores) for name in COUNTS}
    return OrganScore(**{name: _mean(getattr(score, name) for score in scores) for name in SCORES}, **counts)


def mean_over_organs(scores: Sequence[OrganScore]) -> OrganScore:
    """Mean of several organs, each alike; without volumes, the counts are added."""
    mean = mean_over_cases(scores).as_json()
    return OrganScore(**mean | {"prediction_ml": None, "reference_ml": None})


def _score(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float], tolerance: float) -> OrganScore:
    """Two masks cut to what they cover together, of which at least one holds something."""
    voxel_ml = math.prod(map(float, spacing_mm)) / 1000
    counts = [int(mask.sum()) for mask in (prediction, reference)]
    volumes = [count * voxel_ml for count in counts]
    if not all(counts):
        return OrganScore(0.0, 0.0, None, *volumes, 1, int(not counts[0]), int(not counts[1]), 0)
    pair = [torch.from_numpy(mask)[None, None] for mask in (prediction, reference)]
    spacing = [float(size) for size in spacing_mm]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of MONAI, about its own arguments
        dice = compute_dice(*(mask.float() for mask in pair))
        surface = compute_surface_dice(*pair, [tolerance], include_background=True, spacing=spacing)
        hd95 = compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=spacing)
    return OrganScore(dice.item(), surface.item(), hd95.item(), *volumes, 1, 0, 0, 0)


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
