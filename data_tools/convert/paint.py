"""Paint object masks into one label image: the first keeps the pixel where masks overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_tools.convert.source import Sample
from medseg.errors import InputError
from medseg.io import Geometry, read_image

Window = tuple[slice, ...]


def paint_objects(
    shape: tuple[int, ...], objects: Iterable[tuple[Window, np.ndarray]]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return labels (uint32, ids 1..n in order) and notes on overlaps.

    Args:
        shape: of the label image.
        objects: (window, boolean mask of the window's shape) of each object. Masks that are empty, or wholly
            covered by earlier ones, get no id and are noted.
    """
    labels = np.zeros(shape, dtype=np.uint32)
    count, overlaps, hidden, empty = 0, 0, 0, 0
    for window, mask in objects:
        view = labels[window]
        free = mask & (view == 0)
        overlaps += int(mask.sum() - free.sum())
        if not mask.any():
            empty += 1
        elif not free.any():
            hidden += 1
        else:
            count += 1
            view[free] = count
    notes = []
    if overlaps:
        notes.append(f"{overlaps} pixels lie in several masks; the first mask keeps them")
    if hidden:
        notes.append(f"{hidden} masks are wholly covered by earlier ones and were left out")
    if empty:
        notes.append(f"{empty} masks are empty and were left out")
    return labels, tuple(notes)


def read_plane(path: Path) -> tuple[np.ndarray, Geometry]:
    """Read a 2D image as (Y, X) or (Y, X, C).

    Raises:
        InputError: as :func:`medseg.io.read_image`; an image with sections or times.
    """
    image, geometry = read_image(path)
    if geometry.axes == "CYX":
        image, geometry = np.moveaxis(image, 0, -1), replace(geometry, axes="YXC")
    if geometry.axes not in ("YX", "YXC"):
        raise InputError(f"{path}: objects are marked in 2D images here, this one has axes {geometry.axes}")
    return image, geometry


def grey_if_equal(image: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """Drop colour whose channels are all equal from a (Y, X, C) image."""
    if geometry.axes == "YXC" and (image == image[..., :1]).all():
        return np.ascontiguousarray(image[..., 0]), geometry.without_channel()
    return image, geometry


def painted_sample(image: np.ndarray, geometry: Geometry, objects: Iterable[tuple[Window, np.ndarray]]) -> Sample:
    """Return the sample of a 2D image and its object masks."""
    image, geometry = grey_if_equal(image, geometry)
    labels, notes = paint_objects(image.shape[:2], objects)
    return Sample(image, labels, geometry, notes=notes)
