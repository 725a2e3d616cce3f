"""Run every check on a folder in the layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_tools.check.alignment import check_alignment
from data_tools.check.balance import check_balance
from data_tools.check.files import check_folder_names, check_listed_files
from data_tools.check.findings import Finding, Report, error
from data_tools.check.geometry import check_common_geometry, check_pair_geometry, check_unit
from data_tools.check.images import check_image
from data_tools.check.labels import check_classes, check_instances
from data_tools.check.leaks import check_duplicates, check_split
from data_tools.layout import Dataset, Description, Entry, file_checksum, pair_by_stem, read_dataset
from data_tools.near_duplicates import Fingerprint, fingerprint
from data_tools.pixels import Pixels, as_one_stack, gray_stack, read_pixels
from medseg.errors import InputError
from medseg.io.volume import stored_axes


@dataclass
class _Gathered:
    """What is collected from the pairs for the checks across the set."""

    geometry: dict[str, tuple] = field(default_factory=dict)
    fingerprints: dict[tuple[str, str], Fingerprint] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    pixels: dict[str, Counter[int]] = field(default_factory=dict)
    objects: Counter[str] = field(default_factory=Counter)


def check_dataset(
    root: str | Path,
    *,
    split_file: str | Path | None = None,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check a folder in the layout and return all findings.

    Args:
        root: the folder.
        split_file: a JSON file to use in place of the lists of its `dataset.json`.
        axes: of images that do not state them, as for :func:`medseg.io.read_image`.
        progress: called with (done, total) after each pair.

    Raises:
        InputError: `root` is no folder, has no `images/` and `labels/`, or the JSON with its lists is unusable.
    """
    root = Path(root)
    dataset, findings = _open(root, split_file)
    findings += [*check_folder_names(root), *check_listed_files(dataset), *check_split(dataset)]
    gathered = _Gathered()
    entries = dataset.entries
    for done, (subset, entry) in enumerate(entries, start=1):
        if dataset.path(entry.image).is_file() and dataset.path(entry.label).is_file():
            findings += _check_pair(dataset, subset, entry, axes, gathered)
        if progress:
            progress(done, len(entries))
    findings += check_common_geometry(dataset.description, gathered.geometry)
    findings += check_duplicates(gathered.fingerprints, gathered.checksums, {e.image: e.group for _, e in entries})
    findings += check_balance(dataset.description, gathered.pixels, dict(gathered.objects))
    order = sorted(dict.fromkeys(findings), key=lambda f: (f.level != "error", f.code, f.file))
    return Report(tuple(order), _summary(dataset, gathered))


def _open(root: Path, split_file: str | Path | None) -> tuple[Dataset, list[Finding]]:
    """Read the folder; files without a partner are findings here, not a reason to stop."""
    if split_file or not root.is_dir() or (root / "dataset.json").is_file():
        return read_dataset(root, split_file), []
    entries, lonely = pair_by_stem(root)
    if not entries and not lonely:
        return read_dataset(root), []
    findings = [
        error(
            "no_partner",
            f,
            f"has no {'label image' if f.startswith('images') else 'image'} of the same stem; add it, or give both one "
            "name",
        )
        for f in lonely
    ]
    return Dataset(root, Description(name=root.name), tuple(entries)), findings


def _check_pair(
    dataset: Dataset, subset: str, entry: Entry, axes: str | None, gathered: _Gathered
) -> Iterator[Finding]:
    image, problems = _read(dataset, entry.image, labels=False, axes=axes)
    labels, more = _read(dataset, entry.label, labels=True)
    yield from (*problems, *more)
    if image is not None:
        yield from check_image(entry.image, image.array)
        yield from check_unit(entry.image, image)
    if image is None or labels is None:
        return
    wrong = list(check_pair_geometry(entry, image, labels))
    yield from wrong
    _gather_image(dataset, subset, entry, image, gathered)
    if any(f.code in ("shape_mismatch", "sections_outside") for f in wrong):
        return
    part = slice(*entry.sections) if entry.sections else slice(None)
    truth = as_one_stack(labels.array)[part]
    kind = dataset.description.label_kind
    if kind == "classes":
        yield from check_classes(entry.label, truth, dataset.description.classes)
    else:
        yield from check_instances(entry.label, truth if entry.sections else labels.array)
    _gather_labels(subset, truth, kind, gathered)
    yield from check_alignment(entry.label, gray_stack(image)[part], gray_stack(labels)[part])


def _read(dataset: Dataset, file: str, *, labels: bool, axes: str | None = None) -> tuple[Pixels | None, list[Finding]]:
    path = dataset.path(file)
    try:
        return read_pixels(path, labels=labels, axes=axes), []
    except InputError as problem:
        text = str(problem).removeprefix(f"{path}: ")
        ids = "label image" in text or "negative ids" in text
        code = "nan" if "NaN" in text else "wrong_ids" if labels and ids else "unreadable"
        return None, [error(code, file, text)]
    except OSError as problem:
        return None, [error("unreadable", file, f"cannot be read: {problem.strerror or problem}")]


def _gather_image(dataset: Dataset, subset: str, entry: Entry, image: Pixels, gathered: _Gathered) -> None:
    geometry = image.geometry
    axes = geometry.axes.replace("I", "Z") if geometry else "XYZ"[: image.array.ndim]
    gathered.geometry[entry.image] = (
        str(image.array.dtype),
        axes.replace("C", ""),
        geometry.spacing_um if geometry else None,
        stored_axes(image.affine) if image.affine is not None else "",
        image.array.shape[axes.index("C")] if "C" in axes else 1,
    )
    gray = gray_stack(image)
    part = gray[slice(*entry.sections)] if entry.sections and gray.ndim == 3 else gray
    if part.size:
        gathered.fingerprints[subset, entry.image] = fingerprint(part)
        gathered.checksums.setdefault(entry.image, file_checksum(dataset.path(entry.image)))


def _gather_labels(subset: str, labels: np.ndarray, kind: str, gathered: _Gathered) -> None:
    counts = gathered.pixels.setdefault(subset, Counter())
    values, sizes = np.unique(labels, return_counts=True)
    if kind == "classes":
        counts.update({int(v): int(n) for v, n in zip(values, sizes, strict=True)})
        return
    background = int(sizes[0]) if values[0] == 0 else 0
    counts.update({0: background, 1: int(labels.size - background)})
    gathered.objects[subset] += int(np.count_nonzero(values))


def _summary(dataset: Dataset, gathered: _Gathered) -> dict[str, object]:
    everything = sum(gathered.pixels.values(), Counter())
    total = max(everything.total(), 1)
    return {
        "name": dataset.description.name,
        "label_kind": dataset.description.label_kind,
        "training": len(dataset.training),
        "validation": len(dataset.validation),
        "objects": dict(gathered.objects),
        "pixel_fraction": {str(v): round(n / total, 6) for v, n in sorted(everything.items())},
    }
