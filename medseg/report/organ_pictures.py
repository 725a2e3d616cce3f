"""Pictures of one organ: three planes where both sides differ most, with the outlines of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_erosion, find_objects, map_coordinates

REFERENCE, PREDICTION, BOTH = (0, 158, 115), (213, 94, 0), (240, 228, 66)  # Okabe & Ito
_WINDOW_HU = (-200, 400)
_AROUND_MM = 15.0
_PIXELS = 224  # of the longer side
_PLAIN = 60
_LINE = 2  # pixels
_PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))


class OrganPicture(NamedTuple):
    """A plane through an organ."""

    plane: str
    index: int
    """Along its axis, from 0 on towards right, anterior or superior."""
    count: int
    """Planes along that axis."""
    picture: np.ndarray
    """``(height, width, 3)`` uint8; the patient's right is on the left, superior and anterior are up."""


def organ_pictures(
    prediction: np.ndarray, reference: np.ndarray, spacing_mm: np.ndarray, image: np.ndarray | None = None
) -> Iterator[OrganPicture]:
    """The axial, coronal and sagittal plane in which the two masks differ by the largest area.

    Args:
        prediction, reference: ``(X, Y, Z)`` masks with axes to right, anterior, superior, of which one holds something.
        spacing_mm: voxel size along each axis.
        image: the CT in HU on the same grid, shown from -200 to 400 HU; None: a plain ground.
    """
    box = _box(prediction | reference, spacing_mm)
    in_box = prediction[tuple(box)], reference[tuple(box)]
    for plane, axis in _PLANES:
        index = box[axis].start + worst_plane(*in_box, axis)
        window = [slice(index, index + 1) if a == axis else box[a] for a in range(3)]
        sides = [np.take(mask[tuple(window)], 0, axis) for mask in (prediction, reference)]
        ground = None if image is None else np.take(image[tuple(window)], 0, axis)
        drawn = _drawn(*sides, np.delete(spacing_mm, axis), ground).transpose(1, 0, 2)[::-1]
        yield OrganPicture(plane, index, prediction.shape[axis], drawn if plane == "sagittal" else drawn[:, ::-1])


def worst_plane(prediction: np.ndarray, reference: np.ndarray, axis: int) -> int:
    """Index along ``axis`` where the masks differ most; where they are equal, of the largest area."""
    others = tuple(a for a in range(3) if a != axis)
    differing = (prediction != reference).sum(others)
    return int(np.argmax(differing if differing.any() else reference.sum(others)))


def _box(mask: np.ndarray, spacing_mm: np.ndarray) -> list[slice]:
    margins = np.round(_AROUND_MM / spacing_mm).astype(int)
    found = find_objects(mask.view(np.uint8))[0]
    return [slice(max(s.start - m, 0), s.stop + m) for s, m in zip(found, margins, strict=True)]


def _drawn(prediction: np.ndarray, reference: np.ndarray, sizes: np.ndarray, ground: np.ndarray | None) -> np.ndarray:
    """Axes as those of the masks, square pixels."""
    extent = np.array(prediction.shape) * sizes
    shape = np.maximum(1, np.round(_PIXELS * extent / extent.max())).astype(int)
    # voxel index at the centre of each pixel
    along = [(np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(shape, prediction.shape, strict=True)]
    places = np.meshgrid(*along, indexing="ij")
    picture = np.full((*shape, 3), _PLAIN, np.uint8)
    if ground is not None:
        low, high = _WINDOW_HU
        grey = np.clip((ground.astype(np.float32) - low) / (high - low), 0, 1) * 255
        picture[:] = map_coordinates(grey, places, order=1, mode="nearest")[..., None].astype(np.uint8)
    outlines = []
    for mask in (prediction, reference):
        fine = mask
        for axis, (n, m) in enumerate(zip(shape, mask.shape, strict=True)):
            # any voxel of a pixel counts, lest small pieces vanish where there are fewer pixels than voxels
            fine = np.logical_or.reduceat(fine, np.arange(n) * m // n, axis)
        outlines.append(fine & ~binary_erosion(fine, iterations=_LINE))
    for outline, colour in ((outlines[1], REFERENCE), (outlines[0], PREDICTION), (outlines[0] & outlines[1], BOTH)):
        picture[outline] = colour
    return picture
