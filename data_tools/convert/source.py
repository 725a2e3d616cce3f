"""What a converter hands over: named sources that are read one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medseg.errors import InputError
from medseg.io import Geometry


@dataclass(frozen=True)
class Sample:
    """An image and its labels of one spatial shape; `affine` (NIfTI, mm) or `geometry` say where it lies.

    `notes` tell what the conversion had to leave out, such as masks that others cover.
    """

    image: np.ndarray
    labels: np.ndarray
    geometry: Geometry | None = None
    affine: np.ndarray | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A share of a source: the subset it goes to and, for stacks, its sections [start, stop)."""

    subset: str = "training"
    sections: tuple[int, int] | None = None


@dataclass(frozen=True)
class Source:
    """One image to convert: its name in the layout, how to read it, its group and its stratum."""

    name: str
    read: Callable[[], Sample]
    group: str = ""
    stratum: str = ""
    parts: tuple[Part, ...] = (Part(),)


def existing_folder(src: str | Path) -> Path:
    """Return the folder.

    Raises:
        InputError: there is none of that name.
    """
    root = Path(src)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    return root


def found(sources: list[Source], where: object, expected: str) -> list[Source]:
    """Return `sources`, or raise InputError saying what was `expected` where there are none."""
    if not sources:
        raise InputError(f"{where}: nothing to convert; expected {expected}")
    return sources
