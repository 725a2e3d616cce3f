"""The guard in front of every kernel that takes a label image."""

from __future__ import annotations

import numpy as np

from medseg.errors import InputError


def check_labels(labels: np.ndarray, name: str = "labels") -> None:
    """Refuse what is not a label image: an integer (or boolean) array, 0 = background, ids above 0.

    Args:
        labels: the array to check, any number of axes.
        name: what to call it in the message.

    Raises:
        InputError: not a numpy array, float or other non-integer type, no axis, or negative ids.
    """
    if not isinstance(labels, np.ndarray):
        raise InputError(f"{name}: expected a numpy array of integers, got {type(labels).__name__}.")
    if labels.dtype.kind not in "uib":
        raise InputError(
            f"{name}: expected integers (0 = background, one id per object), got dtype {labels.dtype}; "
            "round and cast on purpose, e.g. labels.astype(np.uint16)."
        )
    if labels.ndim == 0:
        raise InputError(f"{name}: expected an array with at least one axis, got a single number.")
    if labels.dtype.kind == "i" and labels.size and (lowest := labels.min()) < 0:
        where = tuple(int(i) for i in np.unravel_index(labels.argmin(), labels.shape))
        raise InputError(
            f"{name}: ids must not be negative, but {int(lowest)} stands at index {where}; "
            "map 'ignore' values to 0 or to an id of their own first."
        )
