"""Write images and label images with their geometry, wholly or not at all."""

from __future__ import annotations

import logging
from pathlib import Path

import imagecodecs
import numpy as np

from medseg.errors import InputError
from medseg.io.atomic import atomic_target
from medseg.io.geometry import Geometry
from medseg.io.tiff import TIFF_DTYPES, write_tiff

_logger = logging.getLogger(__name__)


def write_labels(
    path: str | Path, labels: np.ndarray, geometry: Geometry | None = None, *, overwrite: bool = False
) -> None:
    """Write a label image as ``uint16``, or ``uint32`` with a notice when ids exceed 65535.

    Args:
        path: ``.tif``, ``.tiff`` or (2D, up to 65535 ids) ``.png``.
        labels: integers, 0 = background.
        geometry: its axes, spacing and unit; None means the last axes of ZYX, spacing unknown.
        overwrite: replace a file that exists.

    Raises:
        InputError: floats, negative ids, ids beyond uint32, an existing file, more than the format holds.
        OSError: the file could not be written; nothing half-written stays.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "uib":
        raise InputError(f"{path}: label images hold integers, not {labels.dtype}")
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0 or high > np.iinfo(np.uint32).max:
        raise InputError(f"{path}: ids from {low} to {high} do not fit uint32")
    if high > np.iinfo(np.uint16).max:
        _logger.warning("%s: ids up to %d, written as uint32", path, high)
        labels = labels.astype(np.uint32)
    else:
        labels = labels.astype(np.uint16)
    write_image(path, labels, geometry, overwrite=overwrite)


def write_image(
    path: str | Path, array: np.ndarray, geometry: Geometry | None = None, *, overwrite: bool = False
) -> None:
    """Write an array as TIFF or PNG, by the suffix of ``path``, keeping dtype, axes, spacing and unit.

    Raises:
        InputError: an existing file, an unknown suffix, or a PNG of more than two dimensions, another dtype
            than 8 or 16 bit, or two or four channels (it would hold the last as transparency).
        OSError: the file could not be written; nothing half-written stays.
    """
    path, array = Path(path), np.asarray(array)
    geometry = geometry or Geometry("ZYX"[3 - array.ndim :] if array.ndim <= 3 else "TZYX")
    if len(geometry.axes) != array.ndim:
        raise InputError(f"{path}: axes {geometry.axes} do not fit the shape {array.shape}")
    suffix = path.suffix.lower()
    as_png = geometry.axes == "YX" or (geometry.axes == "YXC" and array.shape[2] == 3)  # 2 or 4: with transparency
    if suffix == ".png" and not (as_png and array.dtype.name in ("uint8", "uint16")):
        raise InputError(
            f"{path}: PNG holds one 8- or 16-bit plane, gray or RGB, not {array.dtype} {array.shape}; write .tif"
        )
    if suffix not in (".png", ".tif", ".tiff"):
        raise InputError(f"{path}: unknown image suffix {suffix!r}; write .tif or .png")
    if suffix != ".png" and array.dtype.name not in TIFF_DTYPES:
        raise InputError(f"{path}: TIFF cannot hold pixels of type {array.dtype}; convert them, to float32 for example")
    with atomic_target(path, overwrite=overwrite) as partial:
        if suffix == ".png":
            partial.write_bytes(imagecodecs.png_encode(array))
        else:
            write_tiff(partial, array, geometry)
