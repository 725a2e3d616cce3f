"""Cell Tracking Challenge sequences: `01/t000.tif` with `01_GT/SEG/man_seg000.tif` or `01_ST/SEG`."""

from __future__ import annotations

import re
from pathlib import Path

from data_tools.convert.pairs import read_pair
from data_tools.convert.source import Source, found
from medseg.errors import InputError


def cell_tracking_sequences(src: str | Path) -> list[Source]:
    """List the frames with whole segmentations, gold truth before silver; each sequence is one group.

    Gold truth of single planes (`man_seg_000_012.tif`) is not of whole volumes and is left out.

    Raises:
        InputError: no such folder, or no frame with truth.
    """
    root = Path(src)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    frames: dict[tuple[str, str], tuple[Path, Path]] = {}
    for truth in ("ST", "GT"):  # gold last, so that it wins
        for labels in sorted(root.rglob(f"*_{truth}/SEG/man_seg*.tif")):
            match = re.fullmatch(r"man_seg(\d+)\.tif", labels.name)
            sequence = labels.parents[1]
            image = sequence.with_name(sequence.name.removesuffix(f"_{truth}"))
            if match and (image / f"t{match[1]}.tif").is_file():
                frames[image.name, match[1]] = (image / f"t{match[1]}.tif", labels)
    sources = [
        Source(f"{sequence}_t{frame}", lambda p=pair: read_pair(*p), group=f"sequence {sequence}")
        for (sequence, frame), pair in sorted(frames.items())
    ]
    return found(sources, root, "frames like 01/t000.tif with 01_GT/SEG/man_seg000.tif")
