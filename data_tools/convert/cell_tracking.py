"""Cell Tracking Challenge sequences: `01/t000.tif` with `01_GT/SEG/man_seg000.tif` or `01_ST/SEG`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from data_tools.convert.pairs import read_pair
from data_tools.convert.source import Source, existing_folder, found


def cell_tracking_sequences(src: str | Path, *, axes: str | None = None) -> list[Source]:
    """List the frames with whole segmentations, gold truth before silver; each sequence is one group.

    Sequences of several data sets, such as `A/01` and `B/01`, are called by both: A_01 and B_01.
    `axes` names those of images that do not state them.
    Gold truth of single planes (`man_seg_000_012.tif`) is not of whole volumes and is left out.

    Raises:
        InputError: no such folder, or no frame with truth.
    """
    root = existing_folder(src)
    frames: dict[tuple[Path, str], tuple[Path, Path]] = {}
    for truth in ("ST", "GT"):  # gold last, so that it wins
        for labels in sorted(root.rglob(f"*_{truth}/SEG/man_seg*.tif")):
            match = re.fullmatch(r"man_seg(\d+)\.tif", labels.name)
            folder = labels.parents[1]
            sequence = folder.with_name(folder.name.removesuffix(f"_{truth}"))
            if match and (sequence / f"t{match[1]}.tif").is_file():
                frames[sequence, match[1]] = (sequence / f"t{match[1]}.tif", labels)
    sources = []
    top = os.path.commonpath([sequence.parent for sequence, _ in frames]) if frames else root
    for (sequence, frame), pair in sorted(frames.items()):
        name = "_".join(sequence.relative_to(top).parts)
        sources.append(Source(f"{name}_t{frame}", lambda p=pair: read_pair(*p, axes=axes), group=f"sequence {name}"))
    return found(sources, root, "frames like 01/t000.tif with 01_GT/SEG/man_seg000.tif")
