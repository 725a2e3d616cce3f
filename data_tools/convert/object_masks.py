"""One mask file per object, as in the Data Science Bowl 2018: `ID/images/ID.png`, `ID/masks/*.png`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data_tools.convert.paint import painted_sample, read_plane
from data_tools.convert.source import Sample, Source, existing_folder, found
from data_tools.layout import is_data_file
from medseg.errors import InputError


def object_mask_folders(src: str | Path) -> list[Source]:
    """List the folders of `src` that hold `images/` with one image and `masks/` with one file per object.

    Raises:
        InputError: no such folder, or no folder of that form in it.
    """
    root = existing_folder(src)
    folders = sorted(p for p in root.iterdir() if (p / "images").is_dir() and (p / "masks").is_dir())
    return found(
        [Source(p.name, lambda p=p: _read(p)) for p in folders], root, "folders ID with ID/images and ID/masks"
    )


def _read(folder: Path) -> Sample:
    images = [p for p in sorted((folder / "images").iterdir()) if is_data_file(p)]
    if len(images) != 1:
        raise InputError(f"{folder / 'images'}: holds {len(images)} images; expected one")
    image, geometry = read_plane(images[0])
    masks = [p for p in sorted((folder / "masks").iterdir()) if is_data_file(p)]
    return painted_sample(image, geometry, (_object(p, image.shape[:2]) for p in masks))


def _object(path: Path, shape: tuple[int, int]) -> tuple[tuple[slice, ...], np.ndarray]:
    mask, geometry = read_plane(path)
    if "C" in geometry.axes:
        mask = mask.max(axis=-1)
    if mask.shape != shape:
        raise InputError(f"{path}: the mask has shape {mask.shape}, its image {shape}")
    return (slice(None), slice(None)), mask > 0
