"""Which volumes belong to an input: files, folders of files, DICOM folders."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from medseg.errors import InputError
from medseg.io.paths import VOLUME_SUFFIXES, is_volume, list_images, natural_order


def list_volumes(inputs: str | Path | Iterable[str | Path]) -> list[Path]:
    """Volumes of files, folders and glob patterns, in natural order; a DICOM series is its folder.

    A folder stands for its volume files; without any, for the DICOM series in it; without that, for those of its
    subfolders that hold DICOM files.

    Raises:
        InputError: a file that is not there, a folder or pattern without volumes, volume files beside DICOM files.
    """
    if isinstance(inputs, str | Path):
        inputs = [inputs]
    found: dict[Path, None] = {}
    for item in inputs:
        for path in _matches(item):
            if path.is_dir():
                found.update(dict.fromkeys(_of_folder(path)))
            elif os.path.lexists(path):
                found[path] = None
            else:
                list_images(path, VOLUME_SUFFIXES)  # says what is missing
    if not found:
        raise InputError("no input given: name a volume, a folder of volumes, a DICOM folder or a pattern")
    return list(found)


def subfolders_left_out(inputs: Iterable[str | Path], volumes: list[Path]) -> dict[Path, list[Path]]:
    """Of each folder that the inputs name, the subfolders with something in them that are none of the volumes.

    Args:
        inputs: as given to :func:`list_volumes`.
        volumes: what that returned.
    """
    folders = [path for item in inputs for path in _matches(item) if path.is_dir()]
    taken = {*volumes, *folders}
    left: dict[Path, list[Path]] = {}
    for folder in folders:
        for inside in sorted(folder.iterdir(), key=natural_order):
            if inside.is_dir() and inside not in taken and not inside.name.startswith(".") and not _is_empty(inside):
                left.setdefault(folder, []).append(inside)
    return left


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:  # it may not be opened, so who knows
        return False


def _matches(item: str | Path) -> list[Path]:
    """The input itself, or the folders and volume files that match it as a pattern."""
    path = Path(item)
    if path.exists() or not glob.has_magic(str(item)):
        return [path]
    found = (p for p in map(Path, glob.glob(str(item), recursive=True)) if p.is_dir() or is_volume(p))
    return sorted(found, key=natural_order) or [path]


def _of_folder(folder: Path) -> list[Path]:
    from medseg.io.dicom import is_dicom_folder  # SimpleITK takes a second to import

    has_files = any(is_volume(p) and not p.is_dir() for p in folder.iterdir())
    if is_dicom_folder(folder):
        if has_files:
            raise InputError(f"{folder}: holds volume files beside DICOM files; name the one that is meant")
        return [folder]
    if has_files:
        return list_images(folder, VOLUME_SUFFIXES)
    inside = sorted((p for p in folder.iterdir() if p.is_dir() and is_dicom_folder(p)), key=natural_order)
    if not inside:
        raise InputError(f"{folder}: no volumes in this folder ({', '.join(VOLUME_SUFFIXES)} or DICOM files)")
    return inside
