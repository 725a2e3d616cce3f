"""Multi-page stacks with membranes or interiors marked (ISBI 2012 style), and stacks of instances."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_tools.convert.pairs import read_pair
from data_tools.convert.source import Part, Sample, Source
from data_tools.pixels import read_pixels
from medseg.errors import InputError
from medseg.io import Geometry


def interior_stack(
    image: str | Path,
    marks: str | Path,
    *,
    name: str,
    interior_value: int,
    spacing: tuple[float, ...] | None = None,
    unit: str | None = None,
    axes: str | None = None,
    parts: tuple[Part, ...] = (Part(),),
) -> Source:
    """One stack whose second file marks cell interiors with `interior_value` (255 in ISBI 2012).

    Labels become the 4-connected components of the interior, per section, ids unique in the stack. `axes` names those
    of an image that does not state them.
    """

    def read() -> Sample:
        pixels, values = read_pixels(image, axes=axes), read_pixels(marks, labels=True).array
        found = np.unique(values)
        if len(found) > 2 or interior_value not in found:
            raise InputError(
                f"{marks}: holds the values {found[:6].tolist()}; expected two, {interior_value} for interior"
            )
        geometry = Geometry("ZYX"[-values.ndim :], spacing, unit)
        return Sample(pixels.array, interior_components(values == interior_value), geometry)

    return Source(name, read, group=name, parts=parts)


def instance_stack(
    image: str | Path,
    labels: str | Path,
    *,
    name: str,
    spacing: tuple[float, ...] | None = None,
    unit: str | None = None,
    axes: str | None = None,
) -> Source:
    """One volume with one id per object through all sections.

    `spacing` (Z, Y, X) and `axes` are of an image that does not state them.
    """

    def read() -> Sample:
        sample = read_pair(Path(image), Path(labels), axes=axes)
        geometry = Geometry("ZYX", spacing, unit) if spacing else sample.geometry
        return Sample(sample.image, sample.labels, geometry)

    return Source(name, read, group=name)


def interior_components(interior: np.ndarray) -> np.ndarray:
    """Return uint32 ids of the 4-connected components of each section of a (Z, Y, X) or (Y, X) mask."""
    from skimage.measure import label

    labels = np.zeros(interior.shape, dtype=np.uint32)
    stack, out, last = interior.reshape(-1, *interior.shape[-2:]), labels.reshape(-1, *interior.shape[-2:]), 0
    for section, target in zip(stack, out, strict=True):
        pieces, count = label(section, connectivity=1, return_num=True)
        target[...] = np.where(pieces > 0, pieces + last, 0)
        last += count
    return labels
