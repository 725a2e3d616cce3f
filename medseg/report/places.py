"""The places where a segmentation went wrong, weighed by what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medseg.kernels.contingency import ContingencyTable, contingency_table
from medseg.metrics.foreground import foreground_of
from medseg.metrics.kinds import kind_of
from medseg.metrics.segments import as_sections, binarise, components
from medseg.metrics.warping import topological_warping_error
from medseg.metrics.warping_score import Mismatch

_WINDOWS = (1, 3, 6, 12, 24)  # pixels around a place in which the object that it belongs to is looked for


@dataclass(frozen=True)
class Place:
    """One error: where it is, what it is, and how much it spoils."""

    kind: str
    """A class of `medseg.kernels.mismatches.CLASSES`."""
    section: int
    y: int
    x: int
    pixels: int
    """Pixels that cannot be mended by moving borders."""
    area: int
    """Pixels that lie in the wrong object because of it; holes and invented objects: their own pixels."""
    spoilt: int = 0
    """Id in the section of the object that is merged (predicted) or split (reference); else 0."""


@dataclass(frozen=True, eq=False)
class ErrorMap:
    """Everything a picture of the errors needs, as stacks `(sections, Y, X)`."""

    reference: np.ndarray
    """int32 segments."""
    prediction: np.ndarray
    """int32 segments."""
    classes: np.ndarray
    """uint8: 0, or 1 + index into `medseg.kernels.mismatches.CLASSES`."""
    counterparts: tuple[np.ndarray, ...]
    """Per section, for each predicted id, the reference's id of largest overlap; 0 without any."""
    places: tuple[Place, ...]
    """Largest area first."""

    def places_in(self, section: int) -> list[Place]:
        """The places of one section."""
        return [place for place in self.places if place.section == section]

    def around(self, place: Place, side: int) -> tuple[ErrorMap, tuple[slice, slice]]:
        """The square of `side` pixels around a place, which is its only one, and where the square lies.

        At the rim the square is moved, not cut; of a smaller image it is the whole.
        """
        starts = [
            max(0, min(c - side // 2, size - side))
            for c, size in zip((place.y, place.x), self.classes.shape[1:], strict=True)
        ]
        window = tuple(slice(start, start + side) for start in starts)
        stacks = (
            stack[(slice(place.section, place.section + 1), *window)]
            for stack in (self.reference, self.prediction, self.classes)
        )
        moved = replace(place, section=0, y=place.y - starts[0], x=place.x - starts[1])
        return ErrorMap(*stacks, (self.counterparts[place.section],), (moved,)), window


def map_errors(prediction: np.ndarray, reference: np.ndarray, threshold: float) -> ErrorMap:
    """Find every topological error of a prediction cut at `threshold`, section by section.

    Args:
        prediction, reference: arrays of one shape `(..., Y, X)` from `medseg.metrics.kinds.as_kind`.
        threshold: where probabilities are cut.
    """
    predicted, truth = (
        np.stack([_foreground(section, level) for section in as_sections(image)])
        for image, level in ((prediction, threshold), (reference, 0.0))
    )
    error = topological_warping_error(predicted, truth, positions=True)
    predicted_ids, truth_ids = (np.stack([components(section) for section in stack]) for stack in (predicted, truth))
    tables = [contingency_table(t, p) for t, p in zip(truth_ids, predicted_ids, strict=True)]
    places = [_place(m, truth_ids, predicted_ids, tables) for m in error.mismatches]
    places.sort(key=lambda place: (-place.area, -place.pixels, place.section, place.y, place.x))
    counterparts = tuple(_counterparts(table) for table in tables)
    return ErrorMap(truth_ids, predicted_ids, error.class_map, counterparts, tuple(places))


def _counterparts(table: ContingencyTable) -> np.ndarray:
    largest = np.zeros(int(table.columns.max()) + 1, np.int64)
    shared = table.select((table.rows != 0) & (table.columns != 0))
    order = np.argsort(shared.counts, kind="stable")
    largest[shared.columns[order]] = shared.rows[order]  # of equal indices the last assignment stays
    return largest


def _foreground(section: np.ndarray, threshold: float) -> np.ndarray:
    return binarise(foreground_of(section, kind_of(section)), threshold)


def _place(mismatch: Mismatch, truth: np.ndarray, predicted: np.ndarray, tables: list[ContingencyTable]) -> Place:
    section, y, x = mismatch.position
    table, area, spoilt = tables[section], mismatch.pixels, 0
    if mismatch.kind == "merge":
        spoilt = _object_near(predicted[section], y, x)
        area = max(area, _beside_the_largest(table.counts[(table.columns == spoilt) & (table.rows != 0)]))
    elif mismatch.kind == "split":
        spoilt = _object_near(truth[section], y, x)
        area = max(area, _beside_the_largest(table.counts[(table.rows == spoilt) & (table.columns != 0)]))
    elif mismatch.kind == "object_deletion":
        lost = _object_near(truth[section], y, x)
        area = max(area, int(table.counts[table.rows == lost].sum()))
    return Place(mismatch.kind, section, y, x, mismatch.pixels, area, spoilt)


def _beside_the_largest(parts: np.ndarray) -> int:
    return int(parts.sum() - parts.max()) if parts.size else 0


def _object_near(ids: np.ndarray, y: int, x: int) -> int:
    """Id at a pixel or, since warping moved borders, the most frequent one close by; 0 if there is none."""
    if ids[y, x]:
        return int(ids[y, x])
    for reach in _WINDOWS:
        window = ids[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        found, counts = np.unique(window[window > 0], return_counts=True)
        if found.size:
            return int(found[counts.argmax()])
    return 0
