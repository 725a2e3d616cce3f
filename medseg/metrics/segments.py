"""From images to segments: thresholds, binarisation, components of sections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medseg.errors import InputError
from medseg.kernels.components import label_components
from medseg.metrics.foreground import Kind

SWEEP = (0.0, 0.1, 0.2, 0.1 + 0.2, 0.4, 0.5, 0.6, 0.7, 0.7999999999999999, 0.8999999999999999, 0.9999999999999999)
"""The eleven thresholds of the ISBI 2012 challenge: 0.1 added up in doubles, which is why some look odd."""


def thresholds_for(kind: Kind, threshold: float | Sequence[float] | None) -> tuple[float, ...]:
    """The levels at which a prediction is cut: those asked for, else the sweep; 0 for masks and labels.

    Raises `InputError` for no level, or one that is not between 0 and 1.
    """
    if threshold is None:
        return SWEEP if kind == "probability" else (0.0,)
    levels = tuple(float(t) for t in np.atleast_1d(np.asarray(threshold, np.float64)))
    if not levels or not all(0 <= t <= 1 for t in levels):
        raise InputError(f"threshold: {threshold} cannot be used; give one or more numbers from 0 to 1")
    return levels if kind == "probability" else (0.0,)


def one_level(threshold: float) -> float:
    """The level of a measure that knows no sweep.

    Raises `InputError` for None, several levels, or one that is not between 0 and 1.
    """
    if threshold is None or np.ndim(threshold) != 0:
        raise InputError(f"threshold: {threshold} cannot be used; without a sweep give one number from 0 to 1")
    return thresholds_for("probability", threshold)[0]


def binarise(foreground: np.ndarray, threshold: float) -> np.ndarray:
    """Where a float32 probability exceeds `threshold`, compared in double; a bool mask is its own answer.

    51/255 in float32 is above 0.2, as the challenge has it, and would not be if 0.2 were rounded to float32.
    """
    return foreground if foreground.dtype == bool else foreground > np.float64(threshold)


def as_sections(image: np.ndarray) -> np.ndarray:
    """The image as a stack `(sections, Y, X)`, without a copy: every leading axis counts sections."""
    if image.ndim < 2:
        raise InputError(f"an image has at least the axes Y and X; got the shape {image.shape}")
    return image.reshape(-1, *image.shape[-2:])


def components(foreground: np.ndarray) -> np.ndarray:
    """Segments of a section `(Y, X)` (4-connected) or of a volume `(Z, Y, X)` (6-connected)."""
    return label_components(foreground, 4 if foreground.ndim == 2 else 6)[0]
