"""Simple points: pixels whose flip changes no object, hole or tunnel.

A pixel is simple iff its neighbourhood shows it exactly one foreground and one background component
(Bertrand & Malandain, Pattern Recognition Letters 15, 1994). Foreground and background take opposite
connectivities: 4/8 or 8/4 in 2D, 6/26 or 26/6 in 3D.
"""

import numpy as np

from medseg.kernels.compiled import compiled
from medseg.kernels.lattice import Lattice

# Bit `code` of the table: is the centre simple for foreground 4 / background 8? Bit b of `code` is the b-th
# of the eight neighbours in raster order. 116 of the 256 neighbourhoods are.
SIMPLE_4_8 = np.unpackbits(
    np.frombuffer(bytes.fromhex("ccbbf380ccbbf3803300000033bb0080ccbbf380ccbbf3803300f38033bbf37b"), dtype=np.uint8),
    bitorder="little",
)

# A 3D neighbourhood is a 27-bit set: bit 9a + 3b + c is the offset (a - 1, b - 1, c - 1), bit 13 the centre.
_ALL, _CENTRE = (1 << 27) - 1, 1 << 13


def _cells(condition) -> int:
    cells = ((a, b, c) for a in range(3) for b in range(3) for c in range(3))
    return sum(1 << (9 * a + 3 * b + c) for a, b, c in cells if condition(a, b, c))


_FACES = _cells(lambda a, b, c: abs(a - 1) + abs(b - 1) + abs(c - 1) == 1)
_FACES_EDGES = _cells(lambda a, b, c: 0 < abs(a - 1) + abs(b - 1) + abs(c - 1) <= 2)
_NEIGHBOURS = _ALL ^ _CENTRE
_NOT_FIRST_C, _NOT_LAST_C = _cells(lambda a, b, c: c > 0), _cells(lambda a, b, c: c < 2)
_NOT_FIRST_B, _NOT_LAST_B = _cells(lambda a, b, c: b > 0), _cells(lambda a, b, c: b < 2)


@compiled
def _flood_6(cells, allowed):
    """Grow a set of cells through face neighbours inside `allowed`, all cells at once."""
    while True:
        grown = (
            cells
            | ((cells << 1) & _NOT_FIRST_C)
            | ((cells >> 1) & _NOT_LAST_C)
            | ((cells << 3) & _NOT_FIRST_B)
            | ((cells >> 3) & _NOT_LAST_B)
            | (cells << 9)
            | (cells >> 9)
        ) & allowed
        if grown == cells:
            return cells
        cells = grown


@compiled
def _flood_26(cells, allowed):
    """Grow a set of cells through all neighbours inside `allowed`; the cube is separable."""
    while True:
        grown = cells | ((cells << 1) & _NOT_FIRST_C) | ((cells >> 1) & _NOT_LAST_C)
        grown |= ((grown << 3) & _NOT_FIRST_B) | ((grown >> 3) & _NOT_LAST_B)
        grown = (grown | (grown << 9) | (grown >> 9)) & allowed
        if grown == cells:
            return cells
        cells = grown


@compiled
def is_simple_6_26(code):
    """Whether the centre of a 3D neighbourhood (its bit clear) is simple, foreground 6 / background 26."""
    touching = code & _FACES
    background = ~code & _NEIGHBOURS
    if touching == 0 or background == 0:
        return False
    # Foreground: geodesic 18-neighbourhood. A piece that touches no face of the centre does not count.
    if touching & ~_flood_6(touching & -touching, code & _FACES_EDGES) != 0:
        return False
    return _flood_26(background & -background, background) == background


@compiled
def topological_numbers_6_26(code):
    """How many foreground and background pieces a 3D neighbourhood (its centre's bit clear) shows the centre.

    Foreground: 6-connected in the 18-neighbourhood and touching a face; background: 26-connected. One and one
    is simple.
    """
    foreground, left = 0, code & _FACES
    while left:
        left &= ~_flood_6(left & -left, code & _FACES_EDGES)
        foreground += 1
    background, left = 0, ~code & _NEIGHBOURS
    while left:
        left &= ~_flood_26(left & -left, left)
        background += 1
    return foreground, background


@compiled
def is_simple(ids, p, cube):
    """Whether flat pixel `p` is simple; ids > 0 is foreground (4 in 2D, 6 in 3D)."""
    if cube.size == 8:
        code = 0
        for b in range(8):
            if ids[p + cube[b]] > 0:
                code |= 1 << b
        return SIMPLE_4_8[code] == 1
    return is_simple_6_26(neighbourhood_code(ids, p, cube))


@compiled
def neighbourhood_code(ids, p, cube):
    """Foreground (ids > 0) among the 26 neighbours of flat pixel `p`, as a 27-bit set without the centre."""
    code = 0
    for b in range(26):
        if ids[p + cube[b]] > 0:
            code |= 1 << (b + (b >= 13))
    return code


@compiled
def _which_are_simple(ids, pixels, cube):
    simple = np.zeros(ids.size, np.bool_)
    for p in pixels:
        simple[p] = is_simple(ids, p, cube)
    return simple


def simple_points(foreground: np.ndarray, connectivity: int) -> np.ndarray:
    """Find every pixel that could be flipped, alone, without changing the topology.

    Args:
        foreground: ``(Y, X)`` or ``(Z, Y, X)``, non-zero = foreground; outside the image is background.
        connectivity: of the foreground, 4 or 8 in 2D, 6 or 26 in 3D; the background takes the other one.

    Returns:
        ``bool`` of the same shape, for foreground and background pixels alike.

    Raises:
        ValueError: if the connectivity does not exist for that number of dimensions.
    """
    face, full = {2: (4, 8), 3: (6, 26)}.get(foreground.ndim, (None, None))
    if connectivity not in (face, full):
        raise ValueError(f"a {foreground.ndim}D image has no simple points of connectivity {connectivity}")
    # Swapping foreground and background swaps the connectivities.
    swapped = connectivity == full
    lattice = Lattice.of(foreground.shape)
    ids = lattice.flatten((foreground != 0) ^ swapped, swapped).astype(np.int32)
    pixels = np.flatnonzero(lattice.flatten(np.ones(foreground.shape, bool), False))
    return lattice.restore(_which_are_simple(ids, pixels, lattice.cube))
