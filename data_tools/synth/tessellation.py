"""Cells of very different sizes that fill space: a Laguerre tessellation on the leaves of a random octree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree


def random_octree_leaves(
    rng: np.random.Generator, extent: tuple[float, float, float], largest: float, split: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (origins, sizes) of the leaves of a random octree that covers `extent` (z, y, x).

    Starts from cubes of side `largest`; at level k each cube is split in eight with probability ``split[k]``.
    """
    grids = [np.arange(-largest, n + largest, largest) for n in extent]
    cubes = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, 3)
    cubes = cubes - rng.uniform(0, largest, 3)
    side, origins, sizes = largest, [], []
    octants = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(1, 8, 3)
    for probability in (*split, 0.0):
        divided = rng.random(len(cubes)) < probability
        origins.append(cubes[~divided])
        sizes.append(np.full((~divided).sum(), side))
        side /= 2
        cubes = (cubes[divided][:, None] + octants * side).reshape(-1, 3)
    return np.concatenate(origins), np.concatenate(sizes)


@dataclass(frozen=True)
class Tessellation:
    """Space divided into cells: each point belongs to the cell of its nearest seed in power distance.

    Power distance |x - p|² - r² (Laguerre or radical tessellation; Aurenhammer 1987, SIAM J. Comput. 16:78)
    is Euclidean distance to seeds lifted by sqrt(r_max² - r²) along one more axis, so a k-d tree answers it.
    """

    tree: cKDTree
    cell_of_seed: np.ndarray

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        extent: tuple[float, float, float],
        *,
        largest: float,
        split: tuple[float, ...],
        merge: float,
    ) -> Tessellation:
        """Draw cells over `extent` (z, y, x); a fraction `merge` of the seeds joins its nearest neighbour."""
        origins, sizes = random_octree_leaves(rng, extent, largest, split)
        seeds = origins + sizes[:, None] * rng.uniform(0.2, 0.8, origins.shape)
        radii = 0.5 * sizes * rng.uniform(0.8, 1.2, len(sizes))
        powers = radii**2
        lift = np.sqrt(powers.max() - powers)
        cells = np.arange(len(seeds))
        joins = np.flatnonzero(rng.random(len(seeds)) < merge)
        if len(joins):
            neighbour = cKDTree(seeds).query(seeds[joins], k=2)[1][:, 1]
            cells[joins] = cells[neighbour]
        return cls(cKDTree(np.column_stack([seeds, lift])), np.unique(cells, return_inverse=True)[1])

    def cells(self, z: float | np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the cell id (0-based, int64) at each point; `z`, `y`, `x` broadcast to one shape."""
        z, y, x = np.broadcast_arrays(z, y, x)
        points = np.stack([z, y, x, np.zeros_like(y)], axis=-1).reshape(-1, 4)
        return self.cell_of_seed[self.tree.query(points)[1]].reshape(y.shape)
