"""The bounding box of every object of a label image, in one pass over its pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from medseg.kernels.check_labels import check_labels
from medseg.kernels.compiled import compiled

_TABLE_PER_PIXEL = 4  # ids up to this many times the pixels are looked up in a table, sparser ones are sorted
_SMALL_TABLE = 1 << 16


class ObjectBoxes(NamedTuple):
    """Objects in ascending order of their ids.

    ``ids`` ``(N,)`` int64; ``boxes`` ``(N, 2 d)`` int64 in pixels, low corner first, the high corner behind the
    last pixel; ``areas`` ``(N,)`` int64 in pixels.
    """

    ids: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray


def object_boxes(labels: np.ndarray) -> ObjectBoxes:
    """Box and area of each object.

    Args:
        labels: integer, any number of axes, 0 = background; an id in several pieces is one object.

    Raises:
        InputError: not a label image.
    """
    check_labels(labels)
    largest = int(labels.max(initial=0))
    if largest <= max(_SMALL_TABLE, _TABLE_PER_PIXEL * labels.size):
        present = np.zeros(largest + 1, np.int64)
        flat = np.ascontiguousarray(labels, np.int64)
        _mark(flat.ravel(), present)
        ids = np.flatnonzero(present[1:]) + 1
        present[ids] = np.arange(1, len(ids) + 1)
    else:
        ids, inverse = np.unique(labels, return_inverse=True)
        first = int(ids[0] != 0)  # without background, the first id is an object
        ids, flat = ids[1 - first :].astype(np.int64), inverse.reshape(labels.shape).astype(np.int64) + first
        present = np.arange(len(ids) + 1)
    shape = np.array(labels.shape, np.int64)
    low = np.tile(shape, (len(ids) + 1, 1))
    high = np.zeros_like(low)
    areas = np.zeros(len(ids) + 1, np.int64)
    _measure(flat.reshape(-1, labels.shape[-1]), present, shape, low, high, areas)
    return ObjectBoxes(ids, np.concatenate([low, high], axis=1)[1:], areas[1:])


@compiled
def _mark(labels, present):
    for value in labels:
        present[value] = 1


@compiled
def _measure(rows, number_of, shape, low, high, areas):
    """Runs of equal values along the last axis widen the boxes; the other axes come from the row's number."""
    last = shape.size - 1
    for r in range(rows.shape[0]):
        start = 0
        for x in range(1, rows.shape[1] + 1):
            if x < rows.shape[1] and rows[r, x] == rows[r, start]:
                continue
            k = number_of[rows[r, start]] if rows[r, start] else 0
            if k:
                areas[k] += x - start
                low[k, last] = min(low[k, last], start)
                high[k, last] = max(high[k, last], x)
                rest = r
                for axis in range(last - 1, -1, -1):
                    place = rest % shape[axis]
                    rest //= shape[axis]
                    low[k, axis] = min(low[k, axis], place)
                    high[k, axis] = max(high[k, axis], place + 1)
            start = x
