"""The places where a segmentation went wrong, weighed by what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medseg.kernels.contingency import contingency_table
from medseg.metrics.kinds import kind_of
from medseg.metrics.paired_foregrounds import foregrounds_of
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
    """Of a stack, or the plane of a volume; of several volumes, planes are counted through."""
    y: int
    x: int
    pixels: int
    """Pixels that cannot be mended by moving borders."""
    area: int
    """Pixels that lie in the wrong object because of it; holes and invented objects: their own pixels."""
    spoilt: int = 0
    """Id in the section or volume of the object that is merged (predicted) or split (reference); else 0."""
    z: int = 0
    """Plane of the volume; 0 where each section is looked at for itself."""

    def in_um(self, spacing: tuple[float, ...], digits: int = 4) -> list[str]:
        """The last of z, y and x, as many as the pixel size has, in its unit."""
        at = (self.z, self.y, self.x)[-len(spacing) :]
        return [f"{c * s:.{digits}g}" for c, s in zip(at, spacing, strict=True)]


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
    depth: int | None = None
    """Planes of each volume, whose ids are its own; None: each section is looked at for itself."""

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


def map_errors(prediction: np.ndarray, reference: np.ndarray, threshold: float, volumetric: bool = False) -> ErrorMap:
    """Find every topological error of a prediction cut at `threshold`, section by section or in the volume.

    Args:
        prediction, reference: arrays of one shape `(..., Y, X)` from `medseg.metrics.kinds.as_kind`.
        threshold: where probabilities are cut.
        volumetric: `(Z, Y, X)` is one volume, and `(T, Z, Y, X)` one at each time.
    """
    pairs = [
        foregrounds_of(*sides, *map(kind_of, sides))
        for sides in zip(_units(prediction, volumetric), _units(reference, volumetric), strict=True)
    ]
    masks = [[binarise(r, 0.0) for _, r in pairs], [binarise(p, threshold) for p, _ in pairs]]
    truth, predicted = (np.concatenate(side) for side in masks)
    planes = len(masks[0][0])
    together = planes if volumetric else len(truth)
    errors = [
        topological_warping_error(
            predicted[first : first + together],
            truth[first : first + together],
            volumetric=volumetric,
            positions=True,
        )
        for first in range(0, len(truth), together)
    ]
    units = [_Unit(*map(components, pair)) for pair in zip(*masks, strict=True)]
    places = []
    for number, error in enumerate(errors):
        for mismatch in error.mismatches:
            z, y, x = mismatch.position
            section = number * together + z
            unit, plane = divmod(section, planes)
            area, spoilt = units[unit].at_stake(mismatch, (plane, y, x))
            places.append(Place(mismatch.kind, section, y, x, mismatch.pixels, area, spoilt, plane))
    places.sort(key=lambda place: (-place.area, -place.pixels, place.section, place.y, place.x))
    truth_ids, predicted_ids = (
        np.concatenate([getattr(unit, side) for unit in units]) for side in ("truth", "predicted")
    )
    counterparts = tuple(ids for unit in units for ids in [unit.counterparts()] * planes)
    classes = np.concatenate([error.class_map for error in errors])
    return ErrorMap(truth_ids, predicted_ids, classes, counterparts, tuple(places), planes if volumetric else None)


def _units(image: np.ndarray, volumetric: bool) -> list[np.ndarray]:
    """The volumes, or the sections, each with three axes."""
    return list(image.reshape(-1, *image.shape[-3:])) if volumetric else list(as_sections(image)[:, np.newaxis])


class _Unit:
    """Segments `(Z, Y, X)` of both sides of a section (Z = 1) or a volume."""

    def __init__(self, truth: np.ndarray, predicted: np.ndarray) -> None:
        self.truth, self.predicted = truth, predicted
        self.table = contingency_table(truth, predicted)

    def counterparts(self) -> np.ndarray:
        """For each predicted id, the reference's id of largest overlap; 0 without any."""
        largest = np.zeros(int(self.table.columns.max()) + 1, np.int64)
        shared = self.table.select((self.table.rows != 0) & (self.table.columns != 0))
        order = np.argsort(shared.counts, kind="stable")
        largest[shared.columns[order]] = shared.rows[order]  # of equal indices the last assignment stays
        return largest

    def at_stake(self, mismatch: Mismatch, at: tuple[int, int, int]) -> tuple[int, int]:
        """Pixels that lie in the wrong object because of a mismatch, and the id of the object that it spoils."""
        table, area, spoilt = self.table, mismatch.pixels, 0
        if mismatch.kind == "merge":
            spoilt = _object_near(self.predicted, at)
            area = max(area, _beside_the_largest(table.counts[(table.columns == spoilt) & (table.rows != 0)]))
        elif mismatch.kind == "split":
            spoilt = _object_near(self.truth, at)
            area = max(area, _beside_the_largest(table.counts[(table.rows == spoilt) & (table.columns != 0)]))
        elif mismatch.kind == "object_deletion":
            lost = _object_near(self.truth, at)
            area = max(area, int(table.counts[table.rows == lost].sum()))
        return area, spoilt


def _beside_the_largest(parts: np.ndarray) -> int:
    return int(parts.sum() - parts.max()) if parts.size else 0


def _object_near(ids: np.ndarray, at: tuple[int, int, int]) -> int:
    """Id at a pixel or, since warping moved borders, the most frequent one close by; 0 if there is none."""
    if ids[at]:
        return int(ids[at])
    for reach in _WINDOWS:
        window = ids[tuple(slice(max(c - reach, 0), c + reach + 1) for c in at)]
        found, counts = np.unique(window[window > 0], return_counts=True)
        if found.size:
            return int(found[counts.argmax()])
    return 0
