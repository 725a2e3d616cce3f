"""Checks of a label image alone: ids, clipping, masks in place of instances, objects in pieces."""

from __future__ import annotations

import numpy as np
from skimage.measure import label

from data_tools.check.findings import Finding, error, warning

CLIPPED_AT = (255, 65535)
_SHOWN = 5


def check_instances(file: str, labels: np.ndarray) -> list[Finding]:
    """An instance image: empty, clipped ids, a mask instead of ids, ids that lie in several pieces."""
    ids = np.unique(labels[labels > 0])
    if not len(ids):
        return [warning("empty_labels", file, "holds no object; leave it out unless the image is truly empty")]
    pieces, count = label(labels, background=0, return_num=True, connectivity=labels.ndim)
    if len(ids) == 1 and count > 1:
        return [
            error(
                "mask_not_instances",
                file,
                f"all {count} objects have the one id {ids[0]}: this is a mask; give each object an id of its own",
            )
        ]
    if _looks_clipped(labels, pieces, ids):
        return [
            error(
                "clipped_labels",
                file,
                f"ids end at {ids[-1]}, the limit of {'uint8' if ids[-1] == 255 else 'uint16'}: later objects were "
                "probably lost or merged; export the labels with more bits",
            )
        ]
    return [_in_pieces(file, labels, pieces, ids)] if count > len(ids) else []


def _looks_clipped(labels: np.ndarray, pieces: np.ndarray, ids: np.ndarray) -> bool:
    """The last id is the limit of a type, and no id is free below it or several objects share it."""
    if ids[-1] not in CLIPPED_AT:
        return False
    return len(ids) == ids[-1] or len(np.unique(pieces[labels == ids[-1]])) > 1


def check_classes(file: str, labels: np.ndarray, classes: dict[str, str]) -> list[Finding]:
    """A class image: empty, or values that the data set's classes do not name."""
    values = np.unique(labels)
    if not values.any():
        return [warning("empty_labels", file, "holds background only; leave it out unless that is true")]
    unknown = [int(v) for v in values if classes and str(v) not in classes and v != 0]
    if unknown:
        return [
            error(
                "unknown_class",
                file,
                f"holds the values {unknown[:_SHOWN]}, which classes in dataset.json does not name; add or remap them",
            )
        ]
    return []


def _in_pieces(file: str, labels: np.ndarray, pieces: np.ndarray, ids: np.ndarray) -> Finding:
    firsts = np.unique(pieces, return_index=True)
    owners = labels.ravel()[firsts[1][firsts[0] > 0]]
    owner, number = np.unique(owners, return_counts=True)
    broken = owner[number > 1]
    shown = ", ".join(str(v) for v in broken[:_SHOWN]) + (" ..." if len(broken) > _SHOWN else "")
    return warning(
        "several_pieces",
        file,
        f"{len(broken)} of {len(ids)} objects lie in several pieces (ids {shown}): cut apart, or two objects with "
        "one id; give each object an id of its own",
    )
