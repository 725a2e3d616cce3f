"""Which volumes belong to an input: files, folders of files, DICOM folders."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from medseg.errors import InputError
from medseg.io.paths import VOLUME_SUFFIXES, list_images, natural_order


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
        path = Path(item)
        if path.is_dir():
            found.update(dict.fromkeys(_of_folder(path)))
        elif glob.has_magic(str(item)) and not path.exists():
            folders = sorted(
                (p for p in map(Path, glob.glob(str(item), recursive=True)) if p.is_dir()), key=natural_order
            )
            for folder in folders:
                found.update(dict.fromkeys(_of_folder(folder)))
            if not folders:
                found.update(dict.fromkeys(list_images(item, VOLUME_SUFFIXES)))
        else:
            found.update(dict.fromkeys(list_images(item, VOLUME_SUFFIXES)))
    if not found:
        raise InputError("no input given: name a volume, a folder of volumes, a DICOM folder or a pattern")
    return list(found)


def _of_folder(folder: Path) -> list[Path]:
    from medseg.io.dicom import is_dicom_folder  # SimpleITK takes a second to import

    has_files = any(p.is_file() and p.name.lower().endswith(VOLUME_SUFFIXES) for p in folder.iterdir())
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
