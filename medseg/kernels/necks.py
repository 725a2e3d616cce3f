"""Where shapes are deep: one marker for each lobe of a shape that has necks."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from medseg.kernels.compiled import compiled
from medseg.kernels.lattice import Lattice

HALF_A_PIXEL = 0.5


def lobe_markers(mask: np.ndarray, neck: float) -> np.ndarray:
    """Mark the deep pixels of a binary image, each lobe with a number of its own.

    The depth of a pixel is its distance to the nearest background pixel. Two lobes are told apart where on every way
    between them, over faces, the depth falls to ``neck`` times that of the shallower lobe or below. The marker of a
    lobe are the pixels deeper than ``neck`` times its depth. Half a pixel is added to all depths, so that the pixel
    grid makes no neck in a shape a few pixels wide.

    These are the maxima whose dynamics (M. Grimaud, Proc. SPIE 1769, 1992) are large, as those of an h-maxima
    transform, but relative to the depth of the lobe: shapes of any size are treated alike.

    Args:
        mask: ``(*spatial)``, non-zero = foreground. The border of the image is no background.
        neck: from 0 to below 1; 0 marks the components as they are.

    Returns:
        ``int32`` of the same shape, 0 = not marked; the markers are dense from 1, each connected over faces. Every
        component of the mask has one at least.

    Raises:
        ValueError: ``neck`` negative or not below 1.
    """
    if not 0 <= neck < 1:
        raise ValueError(f"neck is a depth relative to that of a lobe, from 0 to below 1, not {neck}")
    mask = np.asarray(mask) != 0
    if mask.all():
        return np.ones(mask.shape, np.int32)
    lattice = Lattice.of(mask.shape)
    depth = lattice.flatten(distance_transform_edt(mask) + HALF_A_PIXEL * mask, 0)
    inside = np.flatnonzero(depth)
    deepest_first = inside[np.argsort(-depth[inside], kind="stable")]
    markers = np.zeros(depth.size, np.int32)
    _mark(depth, deepest_first, lattice.faces, neck, np.full(depth.size, -1), markers)
    return lattice.restore(markers)


@compiled
def _mark(depth, deepest_first, steps, neck, parent, markers):
    for p in deepest_first:  # the lower the depth, the more pixels are joined, each tree under its deepest
        parent[p] = p
        for step in steps:
            if parent[p + step] < 0:
                continue
            deep, shallow = _root(parent, p), _root(parent, p + step)
            if depth[deep] < depth[shallow]:
                deep, shallow = shallow, deep
            if shallow == p or depth[p] > neck * depth[shallow]:
                parent[shallow] = deep
    stack, count = np.empty(len(deepest_first), np.int64), 0
    for peak in deepest_first:
        if parent[peak] != peak:
            continue
        count += 1
        markers[peak], stack[0], height = count, peak, 1
        while height:
            height -= 1
            p = stack[height]
            for step in steps:
                q = p + step
                if not markers[q] and depth[q] > neck * depth[peak]:
                    markers[q], stack[height] = count, q
                    height += 1


@compiled
def _root(parent, p):
    while parent[p] != p:
        parent[p] = parent[parent[p]]
        p = parent[p]
    return p
