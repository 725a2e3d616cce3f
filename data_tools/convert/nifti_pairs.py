"""NIfTI volumes with NIfTI labels: `imagesTr`/`labelsTr` (MSD), or `NAME_ct` with `NAME_labels`."""

from __future__ import annotations

from pathlib import Path

from data_tools.convert.pairs import read_pair, suffix_pairs
from data_tools.convert.source import Source, found, natural_order
from data_tools.pixels import is_nifti
from medseg.errors import InputError


def nifti_pairs(src: str | Path) -> list[Source]:
    """List the pairs of a folder, each volume a group of its own.

    Raises:
        InputError: no such folder, or nothing that pairs.
    """
    root = Path(src)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if not (root / "imagesTr").is_dir():
        return suffix_pairs(root, ("_labels", "_label", "_mask", "_seg"))
    sources = []
    for image in sorted((root / "imagesTr").iterdir(), key=natural_order):
        labels = root / "labelsTr" / image.name
        if is_nifti(image) and not image.name.startswith(".") and labels.is_file():
            name = image.name.split(".nii")[0]
            sources.append(Source(name, lambda i=image, m=labels: read_pair(i, m), group=name))
    return found(sources, root, "volumes in imagesTr/ with labels of the same name in labelsTr/")
