"""Touching objects pulled apart by a ridge of background, as the U-Net paper trains them."""

from __future__ import annotations

from itertools import product

import numpy as np

from medseg.errors import InputError
from medseg.kernels.check_labels import check_labels


def separate_touching(labels: np.ndarray, *, connectivity: int | None = None) -> np.ndarray:
    """Turn every pixel that touches a different object into background.

    Both sides of a contact give way, so the ridge between two objects is two pixels wide and does not depend
    on the order of the ids. A 0/255 mask, which holds one object only, stays as it is.

    Args:
        labels: ``(*spatial)`` integer label image of any dimension, 0 = background. Not modified.
        connectivity: how many axes a step to a neighbour may change, 1 (faces: 4 in 2D, 6 in 3D) up to the
            number of axes (also over corners: 8, 26). None: the largest.

    Returns:
        A new array of the same shape and type.

    Raises:
        InputError: not a label image, or a connectivity outside 1 … number of axes.

    Source:
        O. Ronneberger, P. Fischer, T. Brox, "U-Net", MICCAI 2015, section 3: the separation border of
        touching cells, computed by morphological operations.

    Example:
        >>> separate_touching(np.array([[1, 1, 2, 2], [1, 1, 0, 2]]))
        array([[1, 0, 0, 2],
               [1, 0, 0, 2]])
    """
    check_labels(labels)
    connectivity = labels.ndim if connectivity is None else connectivity
    if not 1 <= connectivity <= labels.ndim:
        raise InputError(
            f"separate_touching: connectivity={connectivity}; give 1 to {labels.ndim} for these "
            f"{labels.ndim}-dimensional labels, or None."
        )
    touching = np.zeros(labels.shape, dtype=bool)
    for offset in _half_neighbourhood(labels.ndim, connectivity):
        here, there = _shifted_views(offset)
        a, b = labels[here], labels[there]
        contact = (a != b) & (a != 0) & (b != 0)
        touching[here] |= contact
        touching[there] |= contact
    separated = labels.copy()
    separated[touching] = 0
    return separated


def _half_neighbourhood(ndim: int, connectivity: int) -> list[tuple[int, ...]]:
    # one of each pair (offset, -offset): those whose first step that is not zero goes forward
    zero = (0,) * ndim
    return [
        offset for offset in product((-1, 0, 1), repeat=ndim) if offset > zero and sum(map(abs, offset)) <= connectivity
    ]


def _shifted_views(offset: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = tuple(slice(max(0, -step), -step if step > 0 else None) for step in offset)
    there = tuple(slice(max(0, step), step if step < 0 else None) for step in offset)
    return here, there
