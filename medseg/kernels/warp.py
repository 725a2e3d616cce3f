"""Homotopic warping: move a label onto a proposal by flipping simple points only.

Jain et al., Boundary learning by optimization with topological constraints, CVPR 2010, in the deterministic
order of the ISBI 2012 challenge; lifted to volumes with foreground 6 / background 26.
"""

import numpy as np

from medseg.kernels.compiled import compiled
from medseg.kernels.components import label_components
from medseg.kernels.lattice import Lattice
from medseg.kernels.simple_points import is_simple

FRAME = -1


def homotopic_warp(
    label: np.ndarray, proposal: np.ndarray, threshold: float = 0.5, mask: np.ndarray | None = None
) -> np.ndarray:
    """Warp a binary label towards a thresholded proposal without changing its topology.

    Args:
        label: ``(Y, X)`` or ``(Z, Y, X)``, non-zero = foreground (4-connected in 2D, 6-connected in 3D).
        proposal: same shape; compared as float32 > ``threshold``. Pixels far from the threshold move first.
        threshold: the level; the comparison is in double precision.
        mask: same shape, non-zero = this pixel may move; None = every pixel may.

    Returns:
        ``bool`` of the same shape: the warped label. Where it still differs from the proposal (and may
        move), no simple point is left: these pixels are the topological mismatches.

    Raises:
        ValueError: images of different shapes, or neither 2D nor 3D.
    """
    lattice = Lattice.of(label.shape)
    ids = frame_components(label, lattice)
    values, movable = frame_proposal(proposal, lattice), frame_mask(mask, lattice)
    warp(ids, values, movable, float(threshold), lattice.faces, lattice.cube)
    return lattice.restore(ids > 0)


def frame_components(label: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Flat framed ``int32`` component numbers of a binary label, ``FRAME`` around it."""
    return lattice.flatten(label_components(label, lattice.faces.size)[0], FRAME)


def frame_proposal(proposal: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Flat framed ``float32`` proposal."""
    return lattice.flatten(np.asarray(proposal, np.float32), 0)


def frame_mask(mask: np.ndarray | None, lattice: Lattice) -> np.ndarray:
    """Flat framed ``uint8`` mask, 1 = may move; the frame never does."""
    movable = np.ones(lattice.shape, np.uint8) if mask is None else (mask != 0).astype(np.uint8)
    return lattice.flatten(movable, 0)


@compiled
def warp(ids, proposal, movable, threshold, faces, cube):
    """Warp component numbers in place; return the flat indices of the mismatches that remain.

    A simple point touches exactly one component through its faces, so components keep their numbers.
    """
    pending = _by_descending_distance(ids, proposal, movable, threshold)
    # A pixel is worth testing again only after one of its neighbours has flipped.
    untested = np.ones(ids.size, np.bool_)
    while True:
        kept = 0
        for i in range(pending.size):
            p = pending[i]
            if untested[p]:
                untested[p] = False
                if is_simple(ids, p, cube):
                    _flip(ids, p, faces)
                    for step in cube:
                        untested[p + step] = True
                    continue
            pending[kept] = p
            kept += 1
        if kept == pending.size:
            return pending
        pending = pending[:kept]


@compiled
def _flip(ids, p, faces):
    if ids[p] > 0:
        ids[p] = 0
        return
    for step in faces:
        if ids[p + step] > 0:
            ids[p] = ids[p + step]
            return


@compiled
def _by_descending_distance(ids, proposal, movable, threshold):
    """Pixels where label and proposal differ, farthest from the threshold first, ties in flat order.

    Stable radix sort of the float32 keys: for numbers >= 0 the order of the bits is the order of the values.
    """
    count = 0
    for p in range(ids.size):
        if movable[p] and (ids[p] > 0) != (np.float64(proposal[p]) > threshold):
            count += 1
    pixels, other_pixels = np.empty(count, np.int64), np.empty(count, np.int64)
    distances = np.empty(count, np.float32)
    count = 0
    for p in range(ids.size):
        if movable[p] and (ids[p] > 0) != (np.float64(proposal[p]) > threshold):
            pixels[count] = p
            distances[count] = abs(np.float64(proposal[p]) - threshold)
            count += 1
    keys, other_keys = distances.view(np.uint32), np.empty(count, np.uint32)
    for shift in (0, 11, 22):
        starts = np.zeros(2049, np.int64)
        for i in range(count):
            starts[2048 - ((keys[i] >> shift) & 2047)] += 1
        for digit in range(2048):
            starts[digit + 1] += starts[digit]
        for i in range(count):
            digit = 2047 - ((keys[i] >> shift) & 2047)
            other_keys[starts[digit]] = keys[i]
            other_pixels[starts[digit]] = pixels[i]
            starts[digit] += 1
        keys, other_keys = other_keys, keys
        pixels, other_pixels = other_pixels, pixels
    return pixels
