"""Three planes through a place of a volume, to scale: an error through z is not seen in the plane where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from medseg.report.places import ErrorMap, Place

_SECTIONS = 5  # at least, however far apart they lie
_LARGEST = 4  # times `side`: of voxel sizes that no microscope has, not every voxel is drawn


class Plane(NamedTuple):
    """A plane through a place, drawn in square pixels."""

    name: str
    """XY, XZ or YZ: the axis to the right, and the one downwards."""
    errors: ErrorMap
    """One section, which is the plane, with the place as its only one; the reference's ids are numbered anew."""
    voxels: tuple[np.ndarray, ...]
    """Open mesh of the voxels that lie under the pixels: index a volume with it, and drop the axis `across`."""
    across: int


def planes_through(errors: ErrorMap, place: Place, side: int, spacing: Sequence[float] | None) -> list[Plane]:
    """The planes XY, XZ and YZ through a place.

    Args:
        errors: of volumes.
        place: one of its places.
        side: how many voxels in y and x are seen; at the rim the planes are moved, of a smaller volume they are cut.
        spacing: voxel size (z, y, x); where it is not known of all three axes, voxels are drawn as cubes.
    """
    sizes = np.asarray(spacing if spacing and len(spacing) == 3 else (1, 1, 1), np.float64)
    wide = side * sizes[1:].min()
    pixel = max(sizes.min(), wide / (_LARGEST * side))
    extents = (min(max(wide, _SECTIONS * sizes[0]), _LARGEST * wide), wide, wide)
    at = (place.z, place.y, place.x)
    shape = (errors.depth, *errors.classes.shape[1:])
    seen = [_under_pixels(*axis, pixel) for axis in zip(at, shape, sizes.tolist(), extents, strict=True)]
    first = place.section - place.z  # of the place's volume among all sections
    planes = []
    for name, across in (("XY", 0), ("XZ", 1), ("YZ", 2)):
        z, *yx = (np.array([at[a]]) if a == across else seen[a] for a in range(3))
        voxels = np.ix_(first + z, *yx)
        stacks = (
            np.moveaxis(stack[voxels], across, 0) for stack in (errors.reference, errors.prediction, errors.classes)
        )
        down, right = (int(np.abs(seen[a] - at[a]).argmin()) for a in range(3) if a != across)
        moved = replace(place, section=0, y=down, x=right)
        planes.append(Plane(name, ErrorMap(*stacks, (errors.counterparts[place.section],), (moved,)), voxels, across))
    return _nearest_first(planes)


def _nearest_first(planes: list[Plane]) -> list[Plane]:
    """With the reference's ids in the order of their distance, so that those around the place differ in colour."""
    ids, distances = [], []
    for plane in planes:
        (place,), (shown,) = plane.errors.places, plane.errors.reference
        rows, columns = np.ogrid[: shown.shape[0], : shown.shape[1]]
        ids.append(shown.ravel())
        distances.append(np.hypot(rows - place.y, columns - place.x).ravel())
    ids = np.concatenate(ids)[np.concatenate(distances).argsort(kind="stable")]
    counterparts = planes[0].errors.counterparts[0]
    order = np.array(list(dict.fromkeys([0, *ids.tolist(), *counterparts.tolist()])))
    ranks = np.zeros(order.max() + 1, np.int64)
    ranks[order] = np.arange(len(order))
    return [
        plane._replace(
            errors=replace(plane.errors, reference=ranks[plane.errors.reference], counterparts=(ranks[counterparts],))
        )
        for plane in planes
    ]


def _under_pixels(at: int, count: int, size: float, extent: float, pixel: float) -> np.ndarray:
    """Index of the voxel under the centre of each pixel along an axis of `count` voxels of a `size`."""
    whole = count * size
    length = min(extent, whole)
    start = min(max((at + 0.5) * size - length / 2, 0), whole - length)
    centres = start + (np.arange(max(1, round(length / pixel))) + 0.5) * pixel
    return np.clip((centres / size).astype(np.int64), 0, count - 1)
