"""Connected components of a binary image, numbered in raster order."""

import numpy as np
from numba import njit

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
    volume = np.ascontiguousarray(foreground != 0).view(np.uint8)
    if volume.ndim == 2:
        volume = volume[None]
    labels, count = _label(volume, _earlier_neighbours(foreground.ndim, reach))
    return labels.reshape(foreground.shape), count


def _earlier_neighbours(ndim: int, reach: int) -> np.ndarray:
    """Offsets (dz, dy, dx) of the neighbours that a raster scan has already passed."""
    offsets = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3, indexing="ij"), axis=-1).reshape(27, 3)[:13]
    kept = np.abs(offsets).sum(axis=1) <= reach
    if ndim == 2:
        kept &= offsets[:, 0] == 0
    return np.ascontiguousarray(offsets[kept], dtype=np.int64)


@njit(cache=True, nogil=True)
def _root(parents, node):
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@njit(cache=True, nogil=True)
def _label(volume, earlier):
    # The smaller root always wins, so each root is the provisional label of its component's first pixel and
    # numbering the roots in ascending order numbers the components in raster order.
    depth, height, width = volume.shape
    labels = np.zeros(volume.shape, np.int32)
    parents = np.zeros(1024, np.int32)
    used = 1
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if volume[z, y, x] == 0:
                    continue
                own = 0
                for n in range(earlier.shape[0]):
                    nz, ny, nx = z + earlier[n, 0], y + earlier[n, 1], x + earlier[n, 2]
                    if nz < 0 or ny < 0 or ny >= height or nx < 0 or nx >= width:
                        continue
                    other = labels[nz, ny, nx]
                    if other == 0 or other == own:
                        continue
                    if own == 0:
                        own = other
                        continue
                    a, b = _root(parents, own), _root(parents, other)
                    if a < b:
                        parents[b] = a
                    else:
                        parents[a] = b
                if own == 0:
                    if used == parents.size:
                        larger = np.zeros(2 * used, np.int32)
                        larger[:used] = parents
                        parents = larger
                    own = used
                    parents[own] = own
                    used += 1
                labels[z, y, x] = own
    count = 0
    for node in range(1, used):
        if parents[node] == node:
            count += 1
            parents[node] = count
        else:  # the root is smaller than the node, so it already has its final number
            parents[node] = parents[parents[node]]
    flat = labels.ravel()
    for i in range(flat.size):
        flat[i] = parents[flat[i]]
    return labels, count
