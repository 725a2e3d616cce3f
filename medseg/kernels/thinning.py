"""Thinning the border between cells to one pixel: Vincent–Soille watershed of a binary image."""

import numpy as np

from medseg.kernels.compiled import compiled
from medseg.kernels.components import label_components

_DAM, _UNDECIDED, _QUEUED, _FRAME = 0, -1, -2, -3


def thin(foreground: np.ndarray) -> np.ndarray:
    """Grow the 4-connected components of a binary image until only thin dams part them.

    This is the border thinning of the ISBI 2012 challenge (V_Rand and V_Info "after border thinning").
    Components are numbered in column-major order (x outer, y inner); an image without foreground becomes one
    segment, so that an empty prediction counts as "everything merged".

    Args:
        foreground: ``(Y, X)``, non-zero = cell interior.

    Returns:
        ``int32`` labels ``(Y, X)``, 0 = dam. Dams may be open between diagonal fronts and thicker than one
        pixel where fronts meet: that is the algorithm, not a fault.

    Raises:
        ValueError: if the image is not 2D.

    Source: Vincent & Soille, IEEE TPAMI 13(6), 1991, the flooding step with a single grey level; 4-connected.
    """
    if foreground.ndim != 2:
        raise ValueError(f"thinning works on one (Y, X) section, got shape {foreground.shape}")
    # Transposed, the algorithm's column-major scan is the plain order of the flat array.
    basins, count = label_components(np.asarray(foreground).T, 4)
    if count == 0:
        return np.ones(foreground.shape, np.int32)
    basins[basins == 0] = _UNDECIDED
    framed = np.pad(basins, 1, constant_values=_FRAME)
    _flood(framed.reshape(-1), framed.shape[1])
    return np.ascontiguousarray(framed[1:-1, 1:-1].T)


@compiled
def _flood(labels, column):
    steps = (-column, -1, column, 1)  # left, up, right, down
    queue = np.empty(labels.size, np.int64)
    tail = 0
    for p in range(labels.size):
        if labels[p] == _UNDECIDED:
            for step in steps:
                if labels[p + step] > 0:
                    labels[p] = _QUEUED
                    queue[tail] = p
                    tail += 1
                    break
    head = 0
    while head < tail:
        p = queue[head]
        head += 1
        inherited = False  # a dam only because a neighbour is one; a basin may still take it
        for step in steps:
            other = labels[p + step]
            if other > 0:
                if labels[p] == _QUEUED or inherited:
                    labels[p] = other
                    inherited = False
                elif labels[p] > 0 and labels[p] != other:
                    labels[p] = _DAM
            elif other == _DAM:
                if labels[p] == _QUEUED:
                    labels[p] = _DAM
                    inherited = True
            elif other == _UNDECIDED:
                labels[p + step] = _QUEUED
                queue[tail] = p + step
                tail += 1
