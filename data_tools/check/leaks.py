"""Checks of the split: groups, sections and near-duplicates that lie on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from data_tools.check.findings import Finding, error, warning
from data_tools.layout import Dataset
from data_tools.near_duplicates import Fingerprint, near_duplicates


def check_split(dataset: Dataset) -> Iterator[Finding]:
    """No validation set, groups on both sides, sections of one stack on both sides."""
    if not dataset.validation:
        yield warning(
            "no_validation",
            "",
            "nothing is set apart for validation; run `medseg data split` on this folder (while it has no "
            "dataset.json, training sets every fifth image apart, of a single stack the last fifth)",
        )
    if not dataset.training:
        yield error("no_training", "", "nothing is listed for training; correct the list")
    subsets, files = defaultdict(set), defaultdict(set)
    for subset, entry in dataset.entries:
        files[entry.image].add(subset)
        if entry.group:
            subsets[entry.group].add(subset)
    shared_files = {e.image for _, e in dataset.entries if len(files[e.image]) > 1}
    for group in sorted(g for g, s in subsets.items() if len(s) > 1):
        members = [e.image for _, e in dataset.entries if e.group == group]
        if not all(m in shared_files for m in members):  # sections of a stack are judged below
            yield error(
                "group_in_both_subsets",
                members[0],
                f"group {group!r} has images for training and for validation; keep a group on one side",
            )
    for file in sorted(shared_files):
        yield _check_sections(dataset, file)


def _check_sections(dataset: Dataset, file: str) -> Finding:
    ours = [e.sections for e in dataset.training if e.image == file]
    theirs = [e.sections for e in dataset.validation if e.image == file]
    if any(a is None or b is None or (a[0] < b[1] and b[0] < a[1]) for a in ours for b in theirs):
        return error(
            "sections_in_both_subsets", file, "the same sections are for training and for validation; part them"
        )
    return warning(
        "stack_in_both_subsets",
        file,
        "sections of one stack are on both sides: neighbours look alike, scores will be optimistic",
    )


def check_duplicates(
    fingerprints: dict[tuple[str, str], Fingerprint], checksums: dict[str, str], groups: dict[str, str]
) -> Iterator[Finding]:
    """Images that are the same or nearly so, on two sides of the split (error, warning) or on one (warning).

    Args:
        fingerprints: by (subset, image file).
        checksums: by image file; equal ones are the same pixels.
        groups: by image file; near-duplicates of one group on one side are as they should be.
    """
    keys = list(fingerprints)
    for i, j, correlation in near_duplicates([fingerprints[k] for k in keys]):
        (subset, file), (other_subset, other) = keys[i], keys[j]
        if file == other:
            continue
        same = checksums[file] == checksums[other]
        what = f"is the same image as {other}" if same else f"nearly equals {other} (correlation {correlation:.3f})"
        if subset != other_subset:
            make = error if same else warning
            advice = "it leaks into validation, give both one group and split again"
            yield make("duplicate_across_split", file, f"{what}: {advice}")
        elif same or not groups.get(file) or groups[file] != groups.get(other):
            yield warning("duplicate", file, f"{what}; remove one, or give both one group")
