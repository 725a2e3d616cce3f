"""Masks of both sides, section by section or volume by volume, for measures that look at their shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from medseg.errors import InputError
from medseg.metrics.foreground import Kind, foreground_of
from medseg.metrics.kinds import as_kinds, kind_of, one_volume
from medseg.metrics.segments import as_sections, binarise


def mask_units(
    prediction: Any,
    reference: Any,
    threshold: float,
    volumetric: bool | None,
    parted: bool,
    prediction_kind: Kind | None = None,
    reference_kind: Kind | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Bool masks of prediction and reference for each unit, `(Y, X)` or `(Z, Y, X)`.

    Args:
        prediction, reference: as `medseg.metrics.kinds.as_kinds` takes them.
        threshold: where probabilities are cut.
        volumetric: the whole array is one unit; None: yes for two label images.
        parted: touching objects of label images are parted by one pixel.
        prediction_kind, reference_kind: instead of looking.

    Raises:
        InputError: as `as_kinds`; more than three axes as one volume.
    """
    sides = as_kinds(prediction, reference, prediction_kind, reference_kind)
    whole = one_volume(*sides, volumetric)
    if whole and sides[0].ndim > 3:
        raise InputError(
            f"volumetric: images of the shape {sides[0].shape} are not one volume (Z, Y, X); compare volume by volume"
        )
    units = ([side] if whole and side.ndim > 1 else as_sections(side) for side in sides)
    return ((_mask(p, threshold, parted), _mask(r, threshold, parted)) for p, r in zip(*units, strict=True))


def _mask(unit: np.ndarray, threshold: float, parted: bool) -> np.ndarray:
    kind = kind_of(unit)
    if kind == "probability":
        return binarise(unit, threshold)
    return foreground_of(unit, kind) if parted else unit != 0
