"""Where the tiles of one axis lie, and which pixel mirror extension puts at a place outside the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from medseg.errors import InputError


class AxisTiles(NamedTuple):
    """Tiles along one axis: all have ``size`` input pixels, tile k those from ``starts[k]`` on; ``step`` pixels of its
    output are used, from the image's pixel ``origins[k]`` on."""

    size: int
    step: int
    origins: tuple[int, ...]
    starts: tuple[int, ...]


def plan_axis(
    length: int, tile: int, margin: int, stride: int, valid_size: Callable[[int], int], context: int = 0
) -> AxisTiles:
    """Tiles of at most ``tile`` input pixels that cover ``length`` output pixels without waste.

    Origins are multiples of ``stride``: only then does each tile pool the pixels that the whole image would.
    The step is therefore the output size rounded down to that grid, 384 for the paper's 572 to 388 tiles.

    With ``context``, rounded up to the grid, as many pixels are read around what is used. Tiles at the edges of the
    image then end there and have more context on their other side: the network pads where it would in the whole image.

    Raises:
        InputError: ``valid_size`` gives less than asked for, or ``tile`` gives fewer than ``stride`` output pixels and
            the image needs more than one tile.
    """
    whole = valid_size(length + 2 * margin)
    if whole < length + 2 * margin:
        raise InputError(
            f"valid_size({length + 2 * margin}) is {whole}: it must give the smallest size of at least that number "
            "which the network takes; one that takes a single size only is a case for MONAI's SlidingWindowInferer"
        )
    if whole <= tile:
        return AxisTiles(whole, length, (0,), (-margin,))
    around = margin + -(-context // stride) * stride
    largest_step = (_largest_valid(tile, stride, valid_size) - 2 * around) // stride * stride
    if largest_step <= 0:
        least = valid_size(2 * around + stride)
        raise InputError(f"a tile of {tile} pixels is too small for this network: give at least {least}")
    count = -(-length // largest_step)
    step = -(-length // (count * stride)) * stride
    size, origins = valid_size(step + 2 * around), range(0, length, step)
    starts = [origin - around for origin in origins]
    if context:
        starts = [min(max(start, -margin), whole - margin - size) for start in starts]
    return AxisTiles(size, step, tuple(origins), tuple(starts))


def mirror_index(start: int, size: int, length: int) -> np.ndarray:
    """Index into an axis of ``length`` pixels for the places ``start .. start + size`` of its mirror extension.

    As ``numpy.pad(mode="reflect")``: the edge pixel is not repeated, and the image is mirrored again and
    again where the extension is longer than the image.
    """
    place = np.arange(start, start + size)
    if length == 1:
        return np.zeros_like(place)
    place = np.abs(place) % (2 * length - 2)
    return np.where(place < length, place, 2 * length - 2 - place)


def _largest_valid(tile: int, stride: int, valid_size: Callable[[int], int]) -> int:
    size = valid_size(tile)
    return size if size == tile else size - stride
