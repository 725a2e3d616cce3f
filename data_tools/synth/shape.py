"""Read a user's image shape: (Y, X) or (Z, Y, X)."""

from __future__ import annotations

from operator import index

from medseg.errors import InputError


def checked_shape(shape: tuple[int, ...], smallest: int) -> tuple[int, int, int]:
    """Return `shape` as (Z, Y, X), Z = 1 for (Y, X); InputError unless Y and X are at least `smallest`."""
    try:
        sizes = tuple(index(n) for n in shape)
    except TypeError:
        raise InputError(f"shape is {shape!r}; give whole numbers, (Y, X) or (Z, Y, X)") from None
    if len(sizes) not in (2, 3):
        raise InputError(f"shape is {sizes}; give (Y, X) or (Z, Y, X)")
    if min(sizes[-2:]) < smallest or min(sizes) < 1:
        raise InputError(f"shape is {sizes}; Y and X must be at least {smallest}, Z at least 1")
    return (1, *sizes) if len(sizes) == 2 else sizes
