"""Checks of a label image alone: ids, clipping, masks in place of instances, objects in pieces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from skimage.measure import label

from data_tools.check.findings import Finding, error, warning

CLIPPED_AT = (255, 65535)
_SHOWN = 5
_SCATTERED = 10  # public sets: 1.0 to 1.2 pieces per id in label images, 17 and more per value in images of 8 bit
_CRUMB = 16  # pixels; the pieces of their label images have more than 70 on average, those of images 1 to 8


def check_instances(file: str, labels: np.ndarray) -> Iterator[Finding]:
    """An instance image: empty, gray values or a mask instead of ids, clipped ids, ids that lie in several pieces.

    In a time series of volumes (T, Z, Y, X) an id may stand for an object through all times.
    """
    ids = np.unique(labels[labels > 0])
    if not len(ids):
        yield warning("empty_labels", file, "holds no object; leave it out unless the image is truly empty")
        return
    if _is_gray(labels):
        yield error(
            "wrong_ids",
            file,
            f"its {len(ids)} values lie in crumbs of a few pixels, as gray values do, not ids of objects; are the "
            "image and its labels exchanged?",
        )
        return
    pieces = _ids_in_pieces(labels)
    if len(ids) == 1 and pieces:
        yield error(
            "mask_not_instances",
            file,
            f"all {pieces[ids[0]]} objects have the one id {ids[0]}: this is a mask; give each object an id of its "
            "own (`medseg data convert rgb-masks` does for 2D images whose objects do not touch)",
        )
    elif ids[-1] in CLIPPED_AT and (len(ids) == ids[-1] or ids[-1] in pieces):  # no id is free, or several share it
        yield error(
            "clipped_labels",
            file,
            f"ids end at {ids[-1]}, the limit of {'uint8' if ids[-1] == 255 else 'uint16'}: later objects were "
            "probably lost or merged; export the labels with more bits",
        )
    elif pieces:
        shown = ", ".join(str(v) for v in sorted(pieces)[:_SHOWN]) + (" ..." if len(pieces) > _SHOWN else "")
        yield warning(
            "several_pieces",
            file,
            f"{len(pieces)} of {len(ids)} objects lie in several pieces (ids {shown}): cut apart, or two objects with "
            "one id; give each object an id of its own",
        )


def _is_gray(labels: np.ndarray) -> bool:
    """Whether the middle section looks like an image: values that lie scattered in pieces of a few pixels."""
    sections = labels.reshape(-1, *labels.shape[-2:])
    section = sections[len(sections) // 2]
    values, labelled = np.count_nonzero(np.unique(section)), np.count_nonzero(section)
    pieces = label(section, background=0, return_num=True, connectivity=2)[1]
    scattered = values >= _SCATTERED and (pieces >= _SCATTERED * values or 2 * labelled > section.size)
    return scattered and pieces * _CRUMB > labelled


def _ids_in_pieces(labels: np.ndarray) -> dict[int, int]:
    """The ids that lie in several pieces, and in how many; at one time, if there are several."""
    found: dict[int, int] = {}
    for image in labels.reshape(-1, *labels.shape[-3:]) if labels.ndim > 3 else [labels]:
        pieces, count = label(image, background=0, return_num=True, connectivity=image.ndim)
        if count == np.count_nonzero(np.unique(image)):
            continue
        numbers, firsts = np.unique(pieces, return_index=True)
        owners, counts = np.unique(image.ravel()[firsts[numbers > 0]], return_counts=True)
        for owner, number in zip(owners[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
            found[owner] = max(number, found.get(owner, 0))
    return found


def check_classes(file: str, labels: np.ndarray, classes: dict[str, str]) -> Iterator[Finding]:
    """A class image: empty, or values that the data set's classes do not name."""
    values = np.unique(labels)
    if not values.any():
        yield warning("empty_labels", file, "holds background only; leave it out unless that is true")
    unknown = [int(v) for v in values if classes and str(v) not in classes and v != 0]
    if unknown:
        yield error(
            "unknown_class",
            file,
            f"holds the values {unknown[:_SHOWN]}, which classes in dataset.json does not name; add or remap them",
        )
