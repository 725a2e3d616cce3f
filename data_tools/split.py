"""Split a data set into training and validation: groups and near-duplicates whole, strata balanced, seeded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from data_tools.layout import Dataset, Entry
from data_tools.near_duplicates import duplicate_clusters, fingerprint, near_duplicates
from data_tools.pixels import as_one_stack, gray_stack, is_nifti, read_pixels
from medseg.errors import InputError


@dataclass(frozen=True)
class Split:
    """The split data set, and the near-duplicates (file, file, correlation) that were kept together."""

    dataset: Dataset
    duplicates: tuple[tuple[str, str, float], ...] = ()


def split_dataset(dataset: Dataset, *, fraction: float = 0.2, seed: int = 0, axes: str | None = None) -> Split:
    """Move about `fraction` of the images to validation.

    Images that share a group, a file, or are near-duplicates of each other (by chains) stay on one side; within
    each stratum about the same fraction goes to validation. `axes` names those of images that do not state them.

    Raises:
        InputError: a fraction outside (0, 1), unreadable images, or nothing that can be parted.
    """
    if not 0 < fraction < 1:
        raise InputError(f"fraction is {fraction}; give a number between 0 and 1, such as 0.2")
    entries = [entry for _, entry in dataset.entries]
    duplicates = _find_duplicates(dataset, entries, axes)
    units = _units(entries, duplicates)
    if len(units) < 2:
        volumes = any(is_nifti(entry.image) for entry in entries)  # of which training takes no sections
        raise InputError(
            f"{dataset.root}: all images belong together (one group, one file or near-duplicates), they cannot be "
            f"parted; add images{' or' if volumes else ','} correct the groups"
            f"{'' if volumes else ', or part the sections of the stack (--by-sections)'}"
        )
    chosen = _choose(entries, units, fraction, np.random.default_rng(seed))
    result = replace(
        dataset,
        training=tuple(e for i, e in enumerate(entries) if i not in chosen),
        validation=tuple(e for i, e in enumerate(entries) if i in chosen),
    )
    named = tuple((entries[i].image, entries[j].image, c) for i, j, c in duplicates)
    return Split(result, named)


def split_sections(dataset: Dataset, *, fraction: float = 0.2, gap: int = 1) -> Split:
    """Give the last `fraction` of the sections of each stack to validation, leaving out `gap` sections between.

    Of stacks that are listed with `sections` only those sections are parted. For sets of few stacks. Neighbouring
    sections look alike, so scores are optimistic all the same.

    Raises:
        InputError: a fraction outside (0, 1), a negative gap, images that are no stacks, sections outside of a stack,
            or stacks too short.
    """
    if not 0 < fraction < 1 or gap < 0:
        raise InputError(f"fraction is {fraction} (between 0 and 1), gap is {gap} (at least 0)")
    training: list[Entry] = []
    validation: list[Entry] = []
    for image, parts in _listed_sections(dataset).items():
        listed = sorted(set().union(*parts.values()))
        held = max(1, round(fraction * len(listed)))
        first = listed[-held]
        if listed[0] >= first - gap:
            raise InputError(f"{image}: {len(listed)} sections are too few for {held} and a gap of {gap}")
        for entry, sections in parts.items():
            training += [replace(entry, sections=run) for run in _runs(s for s in sections if s < first - gap)]
            validation += [replace(entry, sections=run) for run in _runs(s for s in sections if s >= first)]
    return Split(replace(dataset, training=tuple(training), validation=tuple(validation)))


def _listed_sections(dataset: Dataset) -> dict[str, dict[Entry, set[int]]]:
    """Return per image its entries, without their sections, with all the sections that they list."""
    images: dict[str, dict[Entry, set[int]]] = {}
    for _, entry in dataset.entries:
        shape = as_one_stack(read_pixels(dataset.path(entry.label), labels=True).array).shape
        if len(shape) != 3 or is_nifti(entry.label):
            raise InputError(f"{entry.image}: is no stack of sections (shape {shape}); split by images instead")
        start, stop = entry.sections or (0, shape[0])
        if stop > shape[0]:
            raise InputError(f"{entry.image}: sections [{start}, {stop}) are not among its {shape[0]} sections")
        parts = images.setdefault(entry.image, {})
        parts.setdefault(replace(entry, sections=None), set()).update(range(start, stop))
    return images


def _runs(sections: Iterable[int]) -> list[tuple[int, int]]:
    """Return the runs [start, stop) of neighbouring sections."""
    ordered = np.array(sorted(sections), dtype=int)
    runs = np.split(ordered, np.flatnonzero(np.diff(ordered) > 1) + 1)
    return [(int(run[0]), int(run[-1]) + 1) for run in runs if run.size]


def _find_duplicates(dataset: Dataset, entries: list[Entry], axes: str | None) -> list[tuple[int, int, float]]:
    prints = []
    for entry in entries:
        gray = gray_stack(read_pixels(dataset.path(entry.image), axes=axes))
        prints.append(fingerprint(gray[slice(*entry.sections)] if entry.sections else gray))
    return near_duplicates(prints)


def _units(entries: list[Entry], duplicates: list[tuple[int, int, float]]) -> list[list[int]]:
    """Return lists of the entries that must stay together."""
    together = list(duplicates)
    for key in (lambda e: e.group, lambda e: e.image):
        first: dict[str, int] = {}
        for i, entry in enumerate(entries):
            if key(entry):
                together.append((first.setdefault(key(entry), i), i, 1.0))
    members = defaultdict(list)
    for i, cluster in enumerate(duplicate_clusters(len(entries), together)):
        members[int(cluster)].append(i)
    return list(members.values())


def _choose(entries: list[Entry], units: list[list[int]], fraction: float, rng: np.random.Generator) -> set[int]:
    """Return the entries for validation: per stratum random units up to the fraction, at least one in all."""
    strata = defaultdict(list)
    for unit in units:
        kinds = [entries[i].stratum for i in unit]
        strata[max(sorted(set(kinds)), key=kinds.count)].append(unit)
    chosen: set[int] = set()
    for stratum in sorted(strata):
        members = strata[stratum]
        wanted = fraction * sum(map(len, members))
        taken = 0
        for position in rng.permutation(len(members)):
            unit = members[position]
            # Take it where that brings the count nearer to the wanted one.
            if abs(taken + len(unit) - wanted) < abs(taken - wanted):
                chosen.update(unit)
                taken += len(unit)
    if not chosen:
        chosen.update(min(units, key=len))
    if len(chosen) == len(entries):
        chosen -= set(max(units, key=len))
    return chosen
