"""Checks of how much there is of what: classes that are missing or rare, hardly any or nothing but objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from data_tools.check.findings import Finding, error, warning
from data_tools.layout import Description

RARE_FRACTION = 1e-5
FEW_FRACTION, FULL_FRACTION = 1e-3, 0.999


def check_balance(
    description: Description, pixels: dict[str, Counter[int]], objects: dict[str, int]
) -> Iterator[Finding]:
    """Judge the pixel counts per label value (classes; instances count as 1) of each subset.

    Args:
        description: of the data set.
        pixels: pixel counts by value, by subset; only subsets that hold images.
        objects: number of objects by subset.
    """
    everything = sum(pixels.values(), Counter())
    total = everything.total()
    foreground = total - everything[0]
    if total and not foreground:
        yield error("no_objects", "", "no label image holds any object; these are not the labels")
        return
    if description.label_kind == "classes":
        yield from _check_classes(description, pixels)
        return
    fraction = foreground / max(total, 1)
    if fraction < FEW_FRACTION or fraction > FULL_FRACTION:
        yield warning(
            "foreground_fraction", "", f"{fraction:.3%} of all pixels are objects; crop the images or check labels"
        )
    for subset, count in objects.items():
        if count == 0:
            yield warning("subset_without_objects", "", f"{subset} holds no object; split again")


def _check_classes(description: Description, pixels: dict[str, Counter[int]]) -> Iterator[Finding]:
    values = {int(v) for v in description.classes if v.isdigit()} | {v for c in pixels.values() for v in c}
    for value in sorted(values - {0}):
        name = description.classes.get(str(value), str(value))
        for subset, counts in pixels.items():
            share = counts[value] / max(counts.total(), 1)
            if not counts[value]:
                yield warning(
                    "class_missing", "", f"class {value} ({name}) does not occur in {subset}; split again or drop it"
                )
            elif share < RARE_FRACTION:
                yield warning(
                    "class_rare",
                    "",
                    f"class {value} ({name}) has {share:.1e} of the voxels in {subset}; sample it more",
                )
