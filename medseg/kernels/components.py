"""Connected components of a binary image, numbered in raster order."""

import numpy as np
from numba import njit

from medseg.kernels.lattice import Lattice

_REACH = {(2, 4): 1, (2, 8): 2, (3, 6): 1, (3, 18): 2, (3, 26): 3}


def label_components(foreground: np.ndarray, connectivity: int) -> tuple[np.ndarray, int]:
    """Label the connected components of a binary image.

    Components are numbered 1.. in raster order (last axis fastest) of their first pixel. For another scan
    order give the transposed image and transpose the result.

    Args:
        foreground: ``(Y, X)`` or ``(Z, Y, X)``, any dtype; non-zero is foreground.
        connectivity: 4 or 8 in 2D; 6, 18 or 26 in 3D.

    Returns:
        ``int32`` labels of the same shape (0 = background) and the number of components.

    Raises:
        ValueError: if the connectivity does not exist for that number of dimensions.
    """
    reach = _REACH.get((foreground.ndim, connectivity))
    if reach is None:
        raise ValueError(
            f"connectivity {connectivity} does not exist for a {foreground.ndim}D image; "
            "use 4 or 8 for (Y, X), and 6, 18 or 26 for (Z, Y, X)"
        )
    # A lattice reverses the axes, raster order is wanted: give it the transposed image.
    lattice = Lattice.of(foreground.shape[::-1])
    half = lattice.cube.size // 2
    earlier = lattice.cube[:half][lattice.axes_changed[:half] <= reach]
    labels, count = _label(lattice.flatten(np.asarray(foreground).T != 0, False), earlier)
    return np.ascontiguousarray(lattice.restore(labels).T), count


@njit(cache=True, nogil=True)
def _root(parents, node):
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@njit(cache=True, nogil=True)
def _label(foreground, earlier):
    # The smaller root always wins, so each root is the provisional label of its component's first pixel and
    # numbering the roots in ascending order numbers the components in raster order.
    labels = np.zeros(foreground.size, np.int32)
    parents = np.zeros(1024, np.int32)
    used = 1
    for p in range(foreground.size):
        if not foreground[p]:
            continue
        own = 0
        for step in earlier:
            other = labels[p + step]
            if other == 0 or other == own:
                continue
            if own == 0:
                own = other
                continue
            a, b = _root(parents, own), _root(parents, other)
            parents[max(a, b)] = min(a, b)
        if own == 0:
            if used == parents.size:
                larger = np.zeros(2 * used, np.int32)
                for node in range(used):  # a slice assignment takes numba two seconds to compile
                    larger[node] = parents[node]
                parents = larger
            own = used
            parents[own] = own
            used += 1
        labels[p] = own
    count = 0
    for node in range(1, used):
        if parents[node] == node:
            count += 1
            parents[node] = count
        else:  # the root is smaller than the node, so it already has its final number
            parents[node] = parents[parents[node]]
    for p in range(labels.size):
        labels[p] = parents[labels[p]]
    return labels, count
