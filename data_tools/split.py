"""Split a data set into training and validation: groups and near-duplicates whole, strata balanced, seeded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from data_tools.layout import Dataset, Entry
from data_tools.near_duplicates import duplicate_clusters, fingerprint, near_duplicates
from data_tools.pixels import read_pixels
from medseg.errors import InputError


@dataclass(frozen=True)
class Split:
    """The split data set, and the near-duplicates (file, file, correlation) that were kept together."""

    dataset: Dataset
    duplicates: tuple[tuple[str, str, float], ...] = ()


def split_dataset(dataset: Dataset, *, fraction: float = 0.2, seed: int = 0) -> Split:
    """Move about `fraction` of the images to validation.

    Images that share a group, a file, or are near-duplicates of each other (by chains) stay on one side; within
    each stratum about the same fraction goes to validation.

    Raises:
        InputError: a fraction outside (0, 1), unreadable images, or nothing that can be parted.
    """
    if not 0 < fraction < 1:
        raise InputError(f"fraction is {fraction}; give a number between 0 and 1, such as 0.2")
    entries = [entry for _, entry in dataset.entries]
    duplicates = _find_duplicates(dataset, entries)
    units = _units(entries, duplicates)
    if len(units) < 2:
        raise InputError(
            f"{dataset.root}: all images belong together (one group, one file or near-duplicates), they cannot be "
            "parted; add images, correct the groups, or part the sections of the stack (--by-sections)"
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

    For sets of few stacks. Neighbouring sections look alike, so scores are optimistic all the same.

    Raises:
        InputError: a fraction outside (0, 1), a negative gap, images that are no stacks, or stacks too short.
    """
    if not 0 < fraction < 1 or gap < 0:
        raise InputError(f"fraction is {fraction} (between 0 and 1), gap is {gap} (at least 0)")
    training, validation = [], []
    for entry in {e.image: e for _, e in dataset.entries}.values():
        shape = read_pixels(dataset.path(entry.label), labels=True).array.shape
        if len(shape) != 3:
            raise InputError(f"{entry.image}: is no stack of sections (shape {shape}); split by images instead")
        held = max(1, round(fraction * shape[0]))
        stop = shape[0] - held - gap
        if stop < 1:
            raise InputError(f"{entry.image}: {shape[0]} sections are too few for {held} and a gap of {gap}")
        training.append(replace(entry, sections=(0, stop)))
        validation.append(replace(entry, sections=(shape[0] - held, shape[0])))
    return Split(replace(dataset, training=tuple(training), validation=tuple(validation)))


def _find_duplicates(dataset: Dataset, entries: list[Entry]) -> list[tuple[int, int, float]]:
    prints = []
    for entry in entries:
        pixels = read_pixels(dataset.path(entry.image))
        array = pixels.array
        if pixels.geometry is not None and "C" in pixels.geometry.axes:
            array = array.mean(axis=pixels.geometry.axes.index("C"))
        elif pixels.affine is not None:
            array = np.moveaxis(array, -1, 0)
        prints.append(fingerprint(array[slice(*entry.sections)] if entry.sections else array))
    return near_duplicates(prints)


def _units(entries: list[Entry], duplicates: list[tuple[int, int, float]]) -> list[list[int]]:
    """Return lists of the entries that must stay together."""
    together = [(i, j, c) for i, j, c in duplicates]
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
