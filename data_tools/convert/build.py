"""Write sources into a new folder of the layout: wholly or not at all, one bad source does not stop it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data_tools.convert.source import Sample, Source
from data_tools.layout import Dataset, Description, Entry, with_checksums, write_dataset_json
from data_tools.pixels import Pixels, write_pixels
from medseg.errors import InputError
from medseg.io import Geometry
from medseg.io.atomic import rename_when_free

LONGEST_STEM = 200  # bytes of UTF-8; most file systems hold names of 255


@dataclass(frozen=True)
class Conversion:
    """A finished conversion: the data set, and what was wrong with the sources that were left out.

    `notes` are remarks on sources that were converted, such as masks hidden by others.
    """

    dataset: Dataset
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def build_dataset(dst: str | Path, sources: Iterable[Source], description: Description) -> Conversion:
    """Convert `sources` into the new folder `dst`.

    A source that cannot be read is left out and reported in `problems`; the folder appears under its name
    only when it is complete.

    Raises:
        InputError: `dst` exists and is not empty, or no source could be converted.
    """
    dst = Path(dst)
    if not dst.name:  # . or the root of a disk
        raise InputError(f"{dst}: cannot be made anew; name a new folder in it")
    if dst.exists() and (not dst.is_dir() or any(dst.iterdir())):
        raise InputError(f"{dst}: exists already and is not an empty folder; choose another target")
    partial = dst.with_name(f".{dst.name}.{os.getpid()}.part")
    try:
        partial.mkdir(parents=True)
        dataset, problems, notes = _write_all(partial, sources, description)
        if not dataset.entries:
            raise InputError(f"{dst}: nothing could be converted: " + "; ".join(problems[:3]))
        write_dataset_json(with_checksums(dataset))
        if dst.exists():
            dst.rmdir()
        rename_when_free(partial, dst)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Conversion(replace(dataset, root=dst), tuple(problems), tuple(notes))


def _write_all(root: Path, sources: Iterable[Source], description: Description) -> tuple[Dataset, list[str], list[str]]:
    lists: dict[str, list[Entry]] = {"training": [], "validation": []}
    problems: list[str] = []
    notes: list[str] = []
    taken: dict[str, str] = {}
    for source in sources:
        try:
            name = _free_name(source.name, taken)
            sample = source.read()
            image, label = _write_sample(root, name, sample)
        except InputError as error:
            problems.append(str(error))
            continue
        notes.extend(f"{name}: {note}" for note in sample.notes)
        for part in source.parts:
            entry = Entry(image, label, source.group, part.sections, source.stratum)
            lists[part.subset].append(entry)
    return Dataset(root, description, tuple(lists["training"]), tuple(lists["validation"])), problems, notes


def _write_sample(root: Path, name: str, sample: Sample) -> tuple[str, str]:
    axes = sample.geometry.axes if sample.geometry else None
    colour = axes is not None and "C" in axes
    spatial = sample.image.shape
    if colour:
        spatial = tuple(n for n, a in zip(spatial, axes, strict=True) if a != "C")
    if spatial != sample.labels.shape:
        raise InputError(f"{name}: the image has shape {spatial}, its labels {sample.labels.shape}; they must agree")
    label_suffix = suffix = ".tif" if sample.affine is None else ".nii.gz"
    if _fits_png(sample):
        suffix = ".png"
    geometry = sample.geometry or (None if sample.affine is not None else Geometry("ZYX"[-len(spatial) :]))
    image, label = f"images/{name}{suffix}", f"labels/{name}{label_suffix}"
    write_pixels(root / image, Pixels(sample.image, geometry, sample.affine))
    flat = geometry.without_channel() if geometry else None
    write_pixels(root / label, Pixels(sample.labels, flat, sample.affine), labels=True)
    return image, label


def _fits_png(sample: Sample) -> bool:
    """Whether it is a colour picture that PNG holds whole: RGB of 8 bits without a pixel size."""
    geometry, image = sample.geometry, sample.image
    rgb = geometry is not None and geometry.axes == "YXC" and image.shape[2] == 3 and image.dtype == np.uint8
    return rgb and geometry.spacing is None


def _free_name(name: str, taken: dict[str, str]) -> str:
    """Return a file name for `name`; refuse two that one file system would call the same."""
    safe = "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name).strip(". ") or "_"
    encoded = safe.encode("utf-8", "surrogateescape")
    if len(encoded) > LONGEST_STEM:
        digest = hashlib.sha256(encoded).hexdigest()[:12]
        safe = encoded[: LONGEST_STEM - 13].decode("utf-8", "ignore") + "_" + digest
    key = safe.casefold()
    if key in taken:
        raise InputError(f"{name}: would be called like {taken[key]} where case does not count; rename one of them")
    taken[key] = name
    return safe
