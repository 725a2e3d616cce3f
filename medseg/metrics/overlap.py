"""Contingency tables of a prediction and its reference, section by section and threshold by threshold.

Rand, information and instance measures are all read off these tables, so that one pass over the pixels
serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from medseg.errors import InputError
from medseg.kernels.contingency import ContingencyTable, contingency_table
from medseg.kernels.in_threads import default_threads
from medseg.kernels.thinning import thin
from medseg.metrics.foreground import Kind, foreground_of
from medseg.metrics.kinds import as_kinds, kind_of, one_volume
from medseg.metrics.segments import as_sections, binarise, components, thresholds_for


@dataclass(frozen=True)
class Overlaps:
    """`tables[t][u]`: rows are the reference's ids, columns the prediction's, of unit u at `thresholds[t]`.

    A unit is what is compared at once: a section, or a volume.
    """

    thresholds: tuple[float, ...]
    tables: tuple[tuple[ContingencyTable, ...], ...]

    @property
    def units(self) -> int:
        """Number of sections or volumes."""
        return len(self.tables[0])

    def at(self, threshold: float) -> tuple[ContingencyTable, ...]:
        """The tables at one threshold; masks and labels have the same at every threshold."""
        if len(self.tables) == 1:
            return self.tables[0]
        return self.tables[self.thresholds.index(threshold)]


def as_one_stack(parts: Sequence[Overlaps]) -> Overlaps:
    """The units of several images as those of one stack; masks and labels take part at every threshold."""
    thresholds = max((part.thresholds for part in parts), key=len)
    for part in parts:
        if len(part.thresholds) > 1 and part.thresholds != thresholds:
            raise InputError(f"thresholds differ: {part.thresholds} and {thresholds}; use the same for all")
    tables = tuple(
        tuple(table for part in parts for table in part.tables[min(t, len(part.tables) - 1)])
        for t in range(len(thresholds))
    )
    return Overlaps(thresholds, tables)


def overlaps(
    prediction: Any,
    reference: Any,
    *,
    threshold: float | Sequence[float] | None = None,
    thin_borders: bool = False,
    volumetric: bool | None = None,
    prediction_kind: Kind | None = None,
    reference_kind: Kind | None = None,
) -> Overlaps:
    """Overlaps of the objects of two images.

    Args:
        prediction: `(Y, X)`, a stack or a volume `(Z, Y, X)`; numpy or torch. Floats are foreground
            probabilities 0..1, compared as float32; bool or integers with one value beside 0 are a mask;
            other integers are labels, whose ids are the objects. Beside labels, integers that show one piece or
            nothing are labels too.
        reference: same shape; mask or labels (or probability, if `reference_kind` says so).
        threshold: one level, or several. Default: the eleven of the challenge, for probabilities.
        thin_borders: grow the predicted segments of each section until one-pixel borders part them. Label
            images then count by their foreground, touching objects parted.
        volumetric: compare the whole array at once; masks become 6-connected components. Default: yes for two
            label images, otherwise section by section, with 4-connected components.
        prediction_kind, reference_kind: `"probability"`, `"binary"` or `"labels"`, instead of looking.

    Raises:
        InputError: shapes differ, no pixels, NaN, probabilities outside 0..1, negative ids, thinning a volume,
            masks of more than three axes as one volume.
    """
    units = _Units.of(prediction, reference, thin_borders, volumetric, prediction_kind, reference_kind)
    thresholds = thresholds_for(units.kind, threshold)
    with ThreadPoolExecutor(default_threads()) as pool:  # the kernels run without Python's lock
        per_unit = list(pool.map(lambda pair: _tables(*units.parted(pair), thresholds, units.segment), units.pairs()))
    return Overlaps(thresholds, tuple(zip(*per_unit, strict=True)))


def objects_of_units(
    prediction: Any,
    reference: Any,
    *,
    threshold: float = 0.5,
    thin_borders: bool = False,
    volumetric: bool | None = None,
    prediction_kind: Kind | None = None,
    reference_kind: Kind | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Label images of reference and prediction for each unit, whose ids are those of `overlaps` at one threshold.

    Arguments and errors as for `overlaps`. Yields integer arrays of one shape, `(Y, X)` for a section or
    `(Z, Y, X)` for a volume, 0 = background; they may be the images themselves.
    """
    units = _Units.of(prediction, reference, thin_borders, volumetric, prediction_kind, reference_kind)
    for predicted, truth in map(units.parted, units.pairs()):
        yield _ids(truth, threshold, components), _ids(predicted, threshold, units.segment)


@dataclass(frozen=True)
class _Units:
    """Both sides of each unit, and how a mask of the prediction becomes objects."""

    prediction: np.ndarray
    reference: np.ndarray
    kind: Kind
    thin_borders: bool

    @classmethod
    def of(
        cls,
        prediction: Any,
        reference: Any,
        thin_borders: bool,
        volumetric: bool | None,
        prediction_kind: Kind | None,
        reference_kind: Kind | None,
    ) -> _Units:
        predicted, truth = as_kinds(prediction, reference, prediction_kind, reference_kind)
        if volumetric and thin_borders:
            raise InputError("borders are thinned section by section; leave out volumetric or thin_borders")
        by_id = kind_of(predicted) == kind_of(truth) == "labels"
        whole = one_volume(predicted, truth, volumetric) and not thin_borders
        if whole and not by_id and truth.ndim > 3:
            raise InputError(
                f"volumetric: masks and probabilities of the shape {truth.shape} are not one volume (Z, Y, X); "
                "compare volume by volume, or leave out volumetric"
            )
        sides = [image[np.newaxis] if whole else as_sections(image) for image in (predicted, truth)]
        return cls(*sides, kind_of(predicted), thin_borders)

    @property
    def segment(self) -> Callable[[np.ndarray], np.ndarray]:
        """From a mask of one unit to ids."""
        return thin if self.thin_borders else components

    def pairs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Prediction and reference of each unit, as they are."""
        return zip(self.prediction, self.reference, strict=True)

    def parted(self, pair: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Both sides as they are; labels by their foreground, touching objects parted, where borders are thinned."""
        return tuple(
            foreground_of(side, "labels") if self.thin_borders and side.dtype.kind in "ui" else side for side in pair
        )


def _tables(
    prediction: np.ndarray,
    reference: np.ndarray,
    thresholds: tuple[float, ...],
    segment: Callable[[np.ndarray], np.ndarray],
) -> list[ContingencyTable]:
    """One unit at each threshold. As in the challenge, a grey reference is cut at the same threshold."""
    tables: list[ContingencyTable] = []
    truth = ids = None
    for threshold in thresholds:
        if reference.dtype.kind in "ui":
            ids = reference
        else:
            cut = binarise(reference, threshold)
            if truth is None or not np.array_equal(cut, truth):
                truth, ids = cut, components(cut)
        tables.append(contingency_table(ids, _ids(prediction, threshold, segment)))
    return tables


def _ids(unit: np.ndarray, threshold: float, segment: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return unit if unit.dtype.kind in "ui" else segment(binarise(unit, threshold))
