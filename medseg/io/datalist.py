"""Training and validation items of a folder with `images/` and `labels/`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from medseg.errors import InputError
from medseg.io.paths import IMAGE_SUFFIXES, VOLUME_SUFFIXES, by_stem, list_images


def training_items(
    folder: str | Path, part: str, *, split_file: str | Path | None = None, validation_fraction: float = 0.2
) -> list[dict[str, Any]]:
    """Items of one part of a data folder, a stack as one item per section, a NIfTI volume as one item.

    The split comes from ``split_file``, else from ``dataset.json`` in the folder: MONAI's datalist with the
    lists ``training`` and ``validation`` of ``{"image": ..., "label": ...}``, paths relative to the folder,
    optionally ``"sections": [start, stop)`` of a stack. Without one, every fifth file is for validation (in
    natural order, by ``validation_fraction``); of a single stack the last fifth of its sections is.

    Args:
        folder: holds ``images/`` and ``labels/`` with matching stems.
        part: ``"training"`` or ``"validation"``.
        split_file: a JSON file to use in place of the folder's ``dataset.json``.
        validation_fraction: share for validation where no split is given.

    Returns:
        Dictionaries with ``image`` and ``label`` (absolute paths), ``section`` (index, or -1 for a 2D file), and
        ``group`` and ``stratum`` as the split gives them, else empty.

    Raises:
        InputError: missing folders or files, images without labels or the reverse, an empty part.
    """
    folder = Path(folder)
    if part not in ("training", "validation"):
        raise InputError(f"part is 'training' or 'validation', not {part!r}")
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; training data lie in FOLDER/images and FOLDER/labels")
    split = Path(split_file) if split_file else folder / "dataset.json"
    if split_file or split.exists():
        items = [i for entry in _split_entries(split, part) for i in _expand(folder, entry)]
    else:
        items = _default_split(_matching_pairs(folder), part, validation_fraction)
    if not items:
        raise InputError(f"{folder}: no {part} images; give at least two images or a dataset.json with a split")
    return items


def count_sections(path: str | Path) -> int:
    """Sections of a stack from its header alone; 1 for a 2D image."""
    return math.prod(n for _, n in _stacked(path))


def _stacked(path: str | Path) -> list[tuple[str, int]]:
    """The axes of a file other than Y, X and channels, with their lengths, from its header alone."""
    if Path(path).suffix.lower() not in (".tif", ".tiff"):
        return []
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            return [(a, n) for a, n in zip(series.axes, series.shape, strict=True) if a not in "YXSC"]
    except OSError:
        raise
    except Exception as error:  # tifffile raises many types on a damaged file
        raise InputError(f"{path}: cannot be read as TIFF ({error})") from error


def text_of(entry: Mapping[str, Any], key: str) -> str:
    """What an item of a datalist says under a key, as text; empty where it says nothing or null."""
    return "" if entry.get(key) is None else str(entry[key])


def _split_entries(split: Path, part: str) -> list[dict[str, Any]]:
    try:
        entries = json.loads(split.read_bytes())[part]  # with or without the mark that Windows puts before UTF-8
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{split}: no JSON file with the list {part!r} ({error!r})") from error
    if not isinstance(entries, list):
        raise InputError(f"{split}: {part!r} is no list of images and labels")
    for entry in entries:
        if not isinstance(entry, dict) or not {"image", "label"} <= set(entry):
            raise InputError(f"{split}: each item of {part!r} needs 'image' and 'label', this has not: {entry}")
    return entries


def _expand(folder: Path, entry: dict[str, Any]) -> list[dict[str, Any]]:
    image, label = folder / entry["image"], folder / entry["label"]
    for path in (image, label):
        if not path.is_file():
            raise InputError(f"{path}: named in the split but not there")
    count = count_sections(label)  # it has no channels, which a file that states no axes cannot tell from sections
    item = {"image": str(image), "label": str(label)}
    item |= {key: text_of(entry, key) for key in ("group", "stratum")}
    if count == 1:
        return [item | {"section": -1}]
    try:
        start, stop = (int(n) for n in entry.get("sections", (0, count)))
    except (TypeError, ValueError) as error:
        raise InputError(f"{image}: 'sections' is [start, stop), not {entry['sections']}") from error
    if not 0 <= start < stop <= count:
        raise InputError(f"{image}: sections [{start}, {stop}) are not among its {count} sections")
    return [item | {"section": k} for k in range(start, stop)]


def _matching_pairs(folder: Path) -> list[tuple[Path, Path]]:
    images, labels = (
        by_stem(list_images(folder / sub, IMAGE_SUFFIXES + VOLUME_SUFFIXES)) for sub in ("images", "labels")
    )
    if lonely := sorted(set(images) ^ set(labels)):
        where = "labels" if lonely[0] in images else "images"
        raise InputError(
            f"{folder}: no file of the stem {lonely[0]!r} in {where}/ ({len(lonely)} stems lack a partner)"
        )
    return [(images[stem], labels[stem]) for stem in images]


def _default_split(pairs: list[tuple[Path, Path]], part: str, fraction: float) -> list[dict[str, Any]]:
    if len(pairs) == 1:
        items = _expand(Path(), {"image": pairs[0][0], "label": pairs[0][1]})
        kept = max(1, round(len(items) * fraction)) if len(items) > 1 else 0
        return items[: len(items) - kept] if part == "training" else items[len(items) - kept :]
    every = max(2, round(1 / fraction))
    chosen = np.arange(len(pairs)) % every == every - 1
    chosen[-1] |= not chosen.any()
    mine = [p for p, is_validation in zip(pairs, chosen, strict=True) if is_validation == (part == "validation")]
    return [item for image, label in mine for item in _expand(Path(), {"image": image, "label": label})]


def volume_items(
    folder: str | Path, part: str, *, split_file: str | Path | None = None, validation_fraction: float = 0.2
) -> list[dict[str, Any]]:
    """As :func:`training_items`, with each stack as one item: a volume, ``section`` -1.

    Raises:
        InputError: as there; a split that gives a part some sections of a stack only; a series of volumes.
    """
    sections: dict[str, list[dict[str, Any]]] = {}
    for item in training_items(folder, part, split_file=split_file, validation_fraction=validation_fraction):
        sections.setdefault(item["image"], []).append(item)
    for image, items in sections.items():
        axes = [axis for axis, length in _stacked(items[0]["label"]) if length > 1]
        if len(axes) > 1:
            raise InputError(
                f"{image}: holds several volumes (axes {''.join(axes)}YX); save each of them as a file of its own"
            )
        if items[0]["section"] >= 0 and len(items) < count_sections(items[0]["label"]):
            raise InputError(
                f"{image}: {len(items)} of its sections are for {part}; volumes are used whole, so give at least two "
                "volumes, or a dataset.json that names whole ones"
            )
    return [items[0] | {"section": -1} for items in sections.values()]
