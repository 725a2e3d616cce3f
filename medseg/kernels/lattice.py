"""Images as flat framed arrays, so that one kernel serves 2D and 3D and needs no bounds checks."""

import math
from typing import NamedTuple

import numpy as np


class Lattice(NamedTuple):
    """How an image of ``shape`` lies in a flat array with a frame of one pixel on every side.

    The axes are reversed: the flat order is column-major, x outer and y inner (then z), which is the order in
    which the ISBI 2012 reference breaks ties.
    """

    shape: tuple[int, ...]
    framed: tuple[int, ...]
    """Extents with the frame, reversed axes."""
    faces: np.ndarray
    """Flat steps to the 4 or 6 face neighbours, ascending."""
    cube: np.ndarray
    """Flat steps to all 8 or 26 neighbours, ascending: bit b of a neighbourhood code is neighbour b."""
    axes_changed: np.ndarray
    """Along how many axes each step of ``cube`` leads: 1 over a face, 2 over an edge, 3 over a corner."""

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> "Lattice":
        """Lattice of a 2D or 3D image."""
        framed = tuple(n + 2 for n in reversed(shape))
        strides = [math.prod(framed[axis + 1 :]) for axis in range(len(framed))]
        steps = np.array(np.meshgrid(*[(-1, 0, 1)] * len(shape), indexing="ij")).reshape(len(shape), -1).T
        distance = np.abs(steps).sum(axis=1)
        flat = (steps * strides).sum(axis=1).astype(np.int64)
        cube = distance > 0
        return cls(tuple(shape), framed, flat[distance == 1], flat[cube], distance[cube])

    def flatten(self, image: np.ndarray, frame: float) -> np.ndarray:
        """Copy an image into its flat framed form; the frame takes the given value.

        Raises:
            ValueError: an image of another shape, beyond whose end the compiled kernels would read.
        """
        if tuple(image.shape) != self.shape:
            raise ValueError(
                f"an image of shape {tuple(image.shape)} beside one of {self.shape}: label, proposal and mask "
                "must show the same pixels"
            )
        return np.pad(image.T, 1, constant_values=frame).reshape(-1)

    def restore(self, flat: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`flatten`."""
        inside = (slice(1, -1),) * len(self.shape)
        return np.ascontiguousarray(flat.reshape(self.framed)[inside].T)

    def coordinates(self, flat_indices: np.ndarray) -> np.ndarray:
        """``(n, ndim)`` image coordinates, (y, x) or (z, y, x), of flat indices."""
        framed = np.stack(np.unravel_index(flat_indices, self.framed), axis=-1)
        return framed[:, ::-1] - 1
