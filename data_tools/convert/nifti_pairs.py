"""NIfTI volumes with NIfTI labels: `imagesTr`/`labelsTr` (MSD, nnU-Net), or `NAME_ct` with `NAME_labels`."""

from __future__ import annotations

import re
from pathlib import Path

from data_tools.convert.pairs import read_pair, suffix_pairs
from data_tools.convert.source import Sample, Source, existing_folder, found
from data_tools.pixels import is_nifti
from medseg.errors import InputError
from medseg.io.paths import natural_order


def nifti_pairs(src: str | Path) -> list[Source]:
    """List the pairs of a folder, each volume a group of its own.

    Volumes of `imagesTr` without labels, and those of several channels, are listed and refused when they are read.

    Raises:
        InputError: no such folder, or nothing that pairs.
    """
    root = existing_folder(src)
    if not (root / "imagesTr").is_dir():
        return suffix_pairs(root, ("_labels", "_label", "_mask", "_seg"))
    images = [p for p in (root / "imagesTr").iterdir() if is_nifti(p) and not p.name.startswith(".")]
    sources = [_source(image, root / "labelsTr", images) for image in sorted(images, key=natural_order)]
    return found(sources, root, "volumes in imagesTr/ with labels of the same name in labelsTr/")


def _source(image: Path, folder: Path, images: list[Path]) -> Source:
    """The volume with the labels of its name; nnU-Net's `case_0000` belongs to the labels `case`."""
    case, channel, ending = re.fullmatch(r"(.+?)(_\d{4})?(\.nii(?:\.gz)?)", image.name, re.IGNORECASE).groups()
    labels = folder / image.name
    if channel and not labels.is_file():
        labels = folder / f"{case}{ending}"
    others = [p for p in images if re.fullmatch(rf"{re.escape(case)}_\d{{4}}{re.escape(ending)}", p.name)]
    is_whole = labels.is_file() and (labels.name == image.name or len(others) == 1)

    def read() -> Sample:
        if not labels.is_file():
            raise InputError(f"{image}: has no labels, there is no {labels}")
        if not is_whole:
            raise InputError(f"{image}: one of {len(others)} channels of {case}; keep the one to train on")
        return read_pair(image, labels)

    name = labels.name[: -len(ending)] if is_whole else image.name[: -len(ending)]
    return Source(name, read, group=name)
