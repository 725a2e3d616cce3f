"""The folder layout of a training set: `images/`, `labels/` and, optional, `dataset.json`.

`dataset.json` is a MONAI datalist (keys `training` and `validation`) with what training needs to know besides:

    {"name": "my cells", "modality": "fluorescence", "spacing": [0.5, 0.5], "unit": "um",
     "label_kind": "instances", "classes": {"0": "background", "1": "nucleus"},
     "licence": "CC0-1.0", "source": "https://...",
     "training": [{"image": "images/a.tif", "label": "labels/a.tif", "group": "well A01"}],
     "validation": [{"image": "images/s.tif", "label": "labels/s.tif", "sections": [16, 20]}],
     "checksums": {"images/a.tif": "sha256:..."}}

`sections` [start, stop) takes part of a stack. `group` names images that must stay on one side of a split. Other keys,
of the data set and of its items, are kept (`others`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from medseg.catalog import sha256
from medseg.errors import InputError
from medseg.io.atomic import atomic_target
from medseg.io.datalist import text_of
from medseg.io.paths import IMAGE_SUFFIXES, NIFTI_SUFFIXES, by_stem

SUFFIXES = (*IMAGE_SUFFIXES, *NIFTI_SUFFIXES)
LABEL_KINDS = ("instances", "classes")
SUBSETS = ("training", "validation")


@dataclass(frozen=True)
class Entry:
    """One image with its label image, paths relative to the folder; `sections` is [start, stop) of a stack."""

    image: str
    label: str
    group: str = ""
    sections: tuple[int, int] | None = None
    stratum: str = ""
    others: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Description:
    """What a data set is: one id per object (`instances`) or one value per class (`classes`) in its labels."""

    name: str = ""
    modality: str = ""
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    label_kind: str = "instances"
    classes: dict[str, str] = field(default_factory=dict)
    licence: str = ""
    source: str = ""


@dataclass(frozen=True)
class Dataset:
    """A folder in the layout, read: its description, its two lists, the checksums of its files, and other keys."""

    root: Path
    description: Description
    training: tuple[Entry, ...]
    validation: tuple[Entry, ...] = ()
    checksums: dict[str, str] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """All entries as (subset, entry)."""
        return tuple((s, e) for s in SUBSETS for e in getattr(self, s))

    def path(self, relative: str) -> Path:
        """Path of a file that an entry names."""
        return self.root / relative


def is_data_file(path: Path) -> bool:
    """Whether `path` is a file of a format that the layout holds (hidden files are not)."""
    return not path.name.startswith(".") and path.name.lower().endswith(SUFFIXES) and path.is_file()


def files_by_stem(folder: Path) -> dict[str, Path]:
    """The data files of a folder, sorted, by their stem.

    Raises:
        InputError: two files with one stem.
    """
    return by_stem(sorted(filter(is_data_file, folder.iterdir())))


def pair_by_stem(root: str | Path) -> tuple[list[Entry], list[str]]:
    """Pair `images/` and `labels/` by stem.

    Returns:
        The entries, and relative paths of the files that have no partner.

    Raises:
        InputError: no such folders, or two files of one folder with one stem.
    """
    root = Path(root)
    for folder in ("images", "labels"):
        if not (root / folder).is_dir():
            raise InputError(
                f"{root}: has no folder {folder}/; put images into images/ and label images of the same "
                "names into labels/"
            )
    images, labels = (
        {stem: f"{folder}/{path.name}" for stem, path in files_by_stem(root / folder).items()}
        for folder in ("images", "labels")
    )
    entries = [Entry(images[s], labels[s]) for s in images if s in labels]
    lonely = [images[s] for s in images if s not in labels] + [labels[s] for s in labels if s not in images]
    return entries, lonely


def read_dataset(root: str | Path, split_file: str | Path | None = None) -> Dataset:
    """Read a folder by its `dataset.json`, with the lists of `split_file` if given, else by stems, all for training.

    Raises:
        InputError: no such folder, no images, files without a partner, an unusable `dataset.json`.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give one with images/ and labels/")
    if split_file or (root / "dataset.json").is_file():
        return _read_json(root, split_file and Path(split_file))
    entries, lonely = pair_by_stem(root)
    if lonely:
        shown = ", ".join(lonely[:5]) + (f" and {len(lonely) - 5} more" if len(lonely) > 5 else "")
        raise InputError(f"{root}: without a partner of the same stem: {shown}; add or remove files")
    if not entries:
        raise InputError(f"{root}: images/ holds no images ({', '.join(SUFFIXES)})")
    return Dataset(root, Description(name=root.resolve().name), tuple(entries))


def write_dataset_json(dataset: Dataset, *, overwrite: bool = False) -> Path:
    """Write `dataset.json` into the data set's folder and return its path.

    Raises:
        InputError: it exists and `overwrite` is false.
    """
    content = _stated(dataset.description) | dataset.others
    for subset in SUBSETS:
        content[subset] = [_stated(replace(e, others={})) | e.others for e in getattr(dataset, subset)]
    content["checksums"] = dataset.checksums
    path = dataset.root / "dataset.json"
    with atomic_target(path, overwrite=overwrite) as partial:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8", errors="backslashreplace")
    return path


def with_checksums(dataset: Dataset) -> Dataset:
    """Return the data set with the sha256 of each file of its two lists, and those that it has of other files there."""
    files = sorted({f for _, e in dataset.entries for f in (e.image, e.label)})
    kept = {f: checksum for f, checksum in dataset.checksums.items() if dataset.path(f).is_file()}
    return replace(dataset, checksums=kept | {f: file_checksum(dataset.path(f)) for f in files})


def file_checksum(path: Path) -> str:
    """Return `sha256:<hex>` of a file."""
    return f"sha256:{sha256(path)}"


def _stated(record: Description | Entry) -> dict[str, Any]:
    return {k: v for k, v in asdict(record).items() if v not in ("", None, {})}


def _read_json(root: Path, split: Path | None) -> Dataset:
    path = root / "dataset.json"
    content = _content(path) if path.is_file() else {"name": root.resolve().name}
    if split:
        content, path = {k: v for k, v in content.items() if k not in SUBSETS} | _content(split), split
    known = {k: content[k] for k in Description.__dataclass_fields__ if k in content}
    if known.get("spacing") is not None:
        known["spacing"] = _spacing(path, known["spacing"])
    if known.get("label_kind", "instances") not in LABEL_KINDS:
        raise InputError(f"{path}: label_kind is {known['label_kind']!r}; it must be one of {LABEL_KINDS}")
    lists = {s: tuple(_entry(path, s, i, e) for i, e in _enumerate(path, s, content.get(s, []))) for s in SUBSETS}
    if not any(lists.values()):
        raise InputError(f"{path}: lists no images under training or validation")
    checksums = content.get("checksums", {})
    if not isinstance(checksums, dict):
        raise InputError(f"{path}: checksums must map file names to 'sha256:...'")
    others = {k: v for k, v in content.items() if k not in (*Description.__dataclass_fields__, *SUBSETS, "checksums")}
    return Dataset(root, Description(**known), checksums=checksums, others=others, **lists)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be an object with the keys training and validation")
    return content


def _spacing(path: Path, spacing: Any) -> tuple[float, ...]:
    try:
        values = tuple(float(s) for s in spacing)
    except (TypeError, ValueError):
        values = ()
    if not values or not all(0 < v < float("inf") for v in values):
        raise InputError(f"{path}: spacing is {spacing!r}; give one positive number per axis, Z, Y, X")
    return values


def _enumerate(path: Path, subset: str, entries: Any) -> Iterable[tuple[int, Any]]:
    if not isinstance(entries, list):
        raise InputError(f"{path}: {subset} must be a list")
    return enumerate(entries)


def _entry(path: Path, subset: str, index: int, entry: Any) -> Entry:
    where = f"{path}: {subset}[{index}]"
    if not isinstance(entry, dict) or not all(isinstance(entry.get(k), str) for k in ("image", "label")):
        raise InputError(f'{where} must be like {{"image": "images/a.tif", "label": "labels/a.tif"}}')
    for name in (entry["image"], entry["label"]):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            raise InputError(f"{where} names {name!r}; name files inside the folder, with forward slashes")
    sections = entry.get("sections")
    if sections is not None:
        whole = isinstance(sections, list) and len(sections) == 2 and all(type(s) is int for s in sections)
        if not whole or not 0 <= sections[0] < sections[1]:
            raise InputError(f"{where}: sections is {sections!r}; give [start, stop) with 0 <= start < stop")
        sections = tuple(sections)
    texts = {k: text_of(entry, k) for k in ("image", "label", "group", "stratum")}
    others = {k: v for k, v in entry.items() if k not in Entry.__dataclass_fields__}
    return Entry(**texts, sections=sections, others=others)
