"""Cellpose folders: `NAME.tif` with `NAME_masks.tif` or `NAME_cp_masks.png` beside it."""

from __future__ import annotations

from pathlib import Path

from data_tools.convert.pairs import suffix_pairs
from data_tools.convert.source import Source


def cellpose_folder(src: str | Path, *, axes: str | None = None) -> list[Source]:
    """List the pairs of a folder that cellpose wrote or trains on; `axes` names those of images that do not state them.

    `_seg.npy` files are pickles, which can run code when opened, and are not read: export masks as TIFF or PNG.

    Raises:
        InputError: no such folder, or no pair in it.
    """
    return suffix_pairs(src, ("_cp_masks", "_masks"), axes=axes)
