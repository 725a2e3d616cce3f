"""Checks of names and files: partners, links, collisions, checksums."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from data_tools.check.findings import Finding, error, warning
from data_tools.layout import SUFFIXES, Dataset, file_checksum
from medseg.io.paths import is_hidden

LONGEST_NAME = 240  # bytes; beside it temporary endings must fit into the 255 of most file systems


def check_folder_names(root: Path) -> Iterator[Finding]:
    """Names that break on another machine, links that lead nowhere, files that will not be used."""
    for folder in ("images", "labels"):
        if not (root / folder).is_dir():
            continue
        seen: dict[str, str] = {}
        for item in sorted(os.scandir(root / folder), key=lambda e: e.name):
            name = f"{folder}/{item.name}"
            if is_hidden(item.name):
                continue
            twin = seen.setdefault(item.name.casefold(), item.name)
            if twin != item.name:
                yield error("case_collision", name, f"is called like {twin} where case does not count; rename one")
            if len(os.fsencode(item.name)) > LONGEST_NAME:
                yield warning("long_name", name[:60] + "...", "has a very long name; shorten it")
            yield from _check_item(item, name)


def _check_item(item: os.DirEntry, name: str) -> Iterator[Finding]:
    if item.is_symlink() and not Path(item.path).exists():
        yield error("broken_link", name, "is a link that leads nowhere or to itself; remove it or copy the file")
    elif item.is_dir():
        yield warning("subfolder", name, "is a folder inside; files in it are not used, move them up")
    elif not item.name.lower().endswith(SUFFIXES):
        yield warning("unknown_format", name, f"is not used; convert it to one of {', '.join(SUFFIXES)}")


def check_listed_files(dataset: Dataset) -> Iterator[Finding]:
    """Files that the lists name and that are missing, listed twice, or changed since their checksum."""
    listed: dict[tuple[str, object], str] = {}
    missing: set[str] = set()
    for subset, entry in dataset.entries:
        for file in (entry.image, entry.label):
            if file not in missing and not dataset.path(file).is_file():
                missing.add(file)
                yield error("missing_file", file, "is listed and not there; restore it")
        first = listed.setdefault((entry.image, entry.sections), subset)
        if first != subset:
            yield error("in_both_subsets", entry.image, "is listed for training and validation; keep it in one")
    for file, checksum in dataset.checksums.items():
        if dataset.path(file).is_file() and file_checksum(dataset.path(file)) != checksum:
            yield warning("changed_file", file, "differs from its checksum in dataset.json; restore or record it anew")
