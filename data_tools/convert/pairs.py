"""Folders of images and label images with the same names, with an optional `index.csv`."""

from __future__ import annotations

import csv
from pathlib import Path

from data_tools.convert.source import Sample, Source, existing_folder, found
from data_tools.layout import SUFFIXES, Entry, files_by_stem, pair_by_stem
from data_tools.pixels import is_nifti, read_pixels
from medseg.errors import InputError
from medseg.io import image_stem
from medseg.io.paths import composed


def image_label_pairs(src: str | Path, *, axes: str | None = None) -> list[Source]:
    """List the pairs of `src/images/` and `src/labels/`, matched by stem.

    `src/index.csv`, if there, has one row per image with the column `file` (its name or stem) and may have `group`
    or `field_group` (images that stay together in a split) and `stratum` or `modality` (kinds of images to balance).
    `axes` names those of images that do not state them.

    Raises:
        InputError: no such folders, files without a partner, a stem that occurs twice, an `index.csv` that cannot be
            read or whose rows are not those of the images.
    """
    root = Path(src)
    entries, lonely = pair_by_stem(root)
    if lonely:
        raise InputError(f"{root}: without a partner of the same stem: {', '.join(lonely[:5])}")
    rows = read_index(root / "index.csv")
    if rows:
        _refuse_unmatched(root / "index.csv", rows, {composed(image_stem(e.image)) for e in entries})
    return found([_source(root, e, rows, axes) for e in entries], root, "images/ and labels/ with the same names")


def suffix_pairs(src: str | Path, label_suffixes: tuple[str, ...], *, axes: str | None = None) -> list[Source]:
    """List pairs in one folder: `NAME.tif` or `NAME_raw.tif` with `NAME<label suffix>.tif`.

    `axes` names those of images that do not state them.

    Raises:
        InputError: no such folder, two files with one stem, or nothing that pairs.
    """
    root = existing_folder(src)
    files = files_by_stem(root)
    sources = []
    for suffix in label_suffixes:
        for stem in (s for s in files if s.endswith(suffix) and s != suffix):
            name = stem[: -len(suffix)]
            image = next((files[f"{name}{e}"] for e in ("", "_raw", "_ct", "_img") if f"{name}{e}" in files), None)
            if image is not None:
                sources.append(Source(name, lambda i=image, m=files[stem]: read_pair(i, m, axes=axes)))
    return found(sources, root, f"pairs like cell.tif and cell{label_suffixes[0]}.tif")


def read_pair(image: Path, labels: Path, *, axes: str | None = None) -> Sample:
    """Read an image and its label image, either both NIfTI or both TIFF or PNG.

    `axes` names those of a TIFF or PNG image that does not state them.

    Raises:
        InputError: unreadable, one NIfTI and the other not, or affines that differ by more than 0.01 mm.
    """
    if is_nifti(image) != is_nifti(labels):
        raise InputError(f"{labels}: one of it and {image.name} is NIfTI and the other is not; save both in one format")
    pixels, truth = read_pixels(image, axes=axes), read_pixels(labels, labels=True)
    if pixels.affine is not None and truth.affine is not None:
        apart = abs(pixels.affine - truth.affine).max()
        if apart > 0.01:
            raise InputError(
                f"{labels}: lies {apart:.3g} mm beside {image.name} (affines differ); resample one onto the other"
            )
    return Sample(pixels.array, truth.array, pixels.geometry, pixels.affine)


def read_index(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of an `index.csv` by the stem in their column `file`; nothing where there is no such file.

    Raises:
        InputError: no CSV in UTF-8, no column `file`, two rows for one file.
    """
    if not path.is_file():
        return {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:  # Excel puts a mark before its UTF-8
            reader = csv.DictReader(file, skipinitialspace=True)
            columns, listed = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is no CSV in UTF-8 ({error}); save it as such") from error
    if "file" not in columns:
        raise InputError(f"{path}: has no column 'file', its columns are {columns}; separate columns by commas")
    rows: dict[str, dict[str, str]] = {}
    for row in listed:
        name = row["file"] or ""
        stem = composed(image_stem(name) if name.lower().endswith(SUFFIXES) else name)
        if stem in rows:
            raise InputError(f"{path}: has two rows for {stem!r}; keep one")
        if stem:
            rows[stem] = row
    return rows


def _refuse_unmatched(index: Path, rows: dict[str, dict[str, str]], stems: set[str]) -> None:
    unmatched = (("images without a row", stems - rows.keys()), ("rows without an image", rows.keys() - stems))
    told = [f"{len(names)} {what} ({', '.join(sorted(names)[:5])})" for what, names in unmatched if names]
    if told:
        raise InputError(f"{index}: {' and '.join(told)}; write one row per image, its name in the column file")


def _source(root: Path, entry: Entry, rows: dict[str, dict[str, str]], axes: str | None) -> Source:
    stem = composed(image_stem(entry.image))
    row = rows.get(stem, {})
    return Source(
        stem,
        lambda: read_pair(root / entry.image, root / entry.label, axes=axes),
        group=row.get("group") or row.get("field_group") or "",
        stratum=row.get("stratum") or row.get("modality") or "",
    )
