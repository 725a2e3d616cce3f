"""Kaggle's chest CT slices: JPEG images with JPEG masks whose three colours are lung, heart and trachea."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from data_tools.convert.source import Sample, Source, existing_folder, found
from medseg.errors import InputError
from medseg.io.jpeg import read_jpeg
from medseg.io.paths import natural_order

STRUCTURES = ("lung", "heart", "trachea")  # red, green, blue
THRESHOLD = 240  # JPEG rounds the edges of a mask: what is not nearly full belongs to its blur


def chest_ct_slices(src: str | Path) -> list[Source]:
    """List the slices of `train.csv` (columns ImageId and MaskId), each in the group of its patient.

    Slices of one patient differ in the number at the end of their name; a split must keep them together.

    Raises:
        InputError: no such folder, no `train.csv`, or none of its images with a mask below the folder.
    """
    root = existing_folder(src)
    table = next(iter(sorted(root.rglob("train.csv"))), None)
    if table is None:
        raise InputError(f"{root}: no train.csv in it or below; unzip the whole archive there")
    files = {path.name: path for path in root.rglob("*.jpg")}
    sources = []
    for image_name, mask_name in sorted(_rows(table), key=lambda row: natural_order(row[0])):
        if image_name in files and mask_name in files:
            image, mask = files[image_name], files[mask_name]
            name = image.stem
            sources.append(Source(name, lambda i=image, m=mask: read_slice(i, m), group=name.rpartition("_")[0]))
    return found(sources, root, "the JPEG files that train.csv names")


def read_slice(image: Path, mask: Path) -> Sample:
    """Read a slice as gray uint8 and its labels (1..3 in the order of `STRUCTURES`; the last one keeps a pixel).

    Raises:
        InputError: a file that is no JPEG, or image and mask of different sizes.
    """
    (pixels, _), (colours, _) = read_jpeg(image), read_jpeg(mask)
    if pixels.ndim == 3:
        pixels = pixels.mean(axis=-1).round().astype(np.uint8)
    if colours.ndim != 3:
        raise InputError(f"{mask}: a mask has three colours, this one has the shape {colours.shape}")
    if colours.shape[:2] != pixels.shape:
        raise InputError(f"{image}: has the size {pixels.shape}, its mask {mask.name} {colours.shape[:2]}")
    labels = np.zeros(pixels.shape, dtype=np.uint8)
    for value in range(1, len(STRUCTURES) + 1):
        labels[colours[..., value - 1] > THRESHOLD] = value
    return Sample(pixels, labels)


def _rows(table: Path) -> list[tuple[str, str]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"ImageId", "MaskId"} <= set(reader.fieldnames or ()):
            raise InputError(f"{table}: needs the columns ImageId and MaskId, has {', '.join(reader.fieldnames or ())}")
        return [(row["ImageId"], row["MaskId"]) for row in reader]
