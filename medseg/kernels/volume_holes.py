"""Tunnels and cavities: which mismatches of a volume mean another change than they would in a section?"""

import numpy as np

from medseg.kernels.compiled import compiled
from medseg.kernels.components import label_components
from medseg.kernels.lattice import Lattice
from medseg.kernels.simple_points import neighbourhood_code, topological_numbers_6_26


def volume_holes(
    ids: np.ndarray, pixels: np.ndarray, groups: np.ndarray, lattice: Lattice
) -> tuple[np.ndarray, np.ndarray]:
    """Look at the mismatches of a volume that would add or remove a hole if it were a section.

    In a section a pixel that touches one object and the background closes a ring (black) or keeps it closed
    (white). In a volume it may also lie in a wall. If both sides of the wall are one background, its flip plugs
    or drills a tunnel; else it closes or opens a cavity, which is a hole as in a section. The sides are looked
    at with all such gaps closed, and a group of mismatches has the sides of all its members.

    Args:
        ids: flat framed component numbers, > 0 = foreground (6-connected).
        pixels: flat indices of the mismatches.
        groups: number 1.. of the group of each mismatch, connected and of one colour.
        lattice: of the volume.

    Returns:
        Two ``bool`` arrays, one value per mismatch: it touches no foreground over a face, so it is an object of
        its own; it drills (white) or plugs (black) a tunnel.
    """
    foreground, background = _pieces_around(ids, pixels, lattice.cube)
    in_wall = (foreground == 1) & (background > 1)
    through = np.zeros(pixels.size, bool)
    if in_wall.any():
        outside = ids <= 0  # with the frame: what reaches the border is connected around the volume
        outside[pixels[in_wall]] = False
        sides = label_components(outside.reshape(lattice.framed), 26)[0].reshape(-1)
        through[in_wall] = _sides_are_one(sides, pixels[in_wall], groups[in_wall], lattice.cube)
    return foreground == 0, through


@compiled
def _pieces_around(ids, pixels, cube):
    foreground, background = np.empty(pixels.size, np.int64), np.empty(pixels.size, np.int64)
    for i in range(pixels.size):
        foreground[i], background[i] = topological_numbers_6_26(neighbourhood_code(ids, pixels[i], cube))
    return foreground, background


@compiled
def _sides_are_one(sides, pixels, groups, cube):
    first, several = np.zeros(groups.max() + 1, np.int32), np.zeros(groups.max() + 1, np.bool_)
    for i in range(pixels.size):
        for step in cube:
            side = sides[pixels[i] + step]
            if side and first[groups[i]] and side != first[groups[i]]:
                several[groups[i]] = True
            elif side:
                first[groups[i]] = side
    return ~several[groups]
