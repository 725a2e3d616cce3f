"""Which volumes belong to an input: files, folders of files, DICOM folders and nests of them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from medseg.errors import InputError
from medseg.io.paths import VOLUME_SUFFIXES, image_stem, is_volume, list_images, natural_order


def list_volumes(inputs: str | Path | Iterable[str | Path]) -> list[Path]:
    """Volumes of files, folders and glob patterns, in natural order; a DICOM series is its folder.

    A folder stands for its volume files; without any, for the DICOM series in it; without that, for those in its
    subfolders, however deep. Subfolders that cannot be opened are listed, so that whoever reads them names them.

    Raises:
        InputError: a file that is not there, a folder or pattern without volumes, volume files beside DICOM files.
    """
    return list(name_volumes(inputs))


def name_volumes(inputs: str | Path | Iterable[str | Path]) -> dict[Path, str]:
    """The volumes of :func:`list_volumes`, and what results of each are named after.

    It is the name of the file or folder; of DICOM series in subfolders, and of what a pattern matches, the whole way
    from the folder, or from where the pattern begins, to it: ``p1_ct`` for ``p1/ct``.

    Raises:
        InputError: as :func:`list_volumes`.
    """
    if isinstance(inputs, str | Path):
        inputs = [inputs]
    found: dict[Path, str] = {}
    for item in inputs:
        for path in _matches(item):
            if path.is_dir():
                volumes = _of_folder(path)
            elif os.path.lexists(path):
                volumes = [path]
            else:
                volumes = list_images(path, VOLUME_SUFFIXES)  # says what is missing
            root = path if path == Path(item) else _root(str(item))
            for volume in volumes:
                found.setdefault(volume, _stem_below(root, volume))
    if not found:
        raise InputError("no input given: name a volume, a folder of volumes, a DICOM folder or a pattern")
    return found


def subfolders_left_out(inputs: Iterable[str | Path], volumes: Iterable[Path]) -> dict[Path, list[Path]]:
    """Of each folder that the inputs name, the subfolders with something in them of which nothing is a volume.

    A folder on the way to a volume is looked into; one of which nothing is taken stands for all that is in it.

    Args:
        inputs: as given to :func:`list_volumes`.
        volumes: what that returned.
    """
    folders = [path for item in inputs for path in _matches(item) if path.is_dir()]
    taken = {*volumes, *folders}
    on_the_way = {parent for path in taken for parent in path.parents} - taken

    def inside(folder: Path) -> list[Path]:
        left = []
        for path in _subfolders(folder):
            if path in on_the_way:
                left += inside(path)
            elif path not in taken and not _is_empty(path):
                left.append(path)
        return left

    return {folder: left for folder in folders if (left := inside(folder))}


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


def _root(pattern: str) -> Path:
    """The folder in front of the first part of a pattern that matches several names."""
    parts = Path(pattern).parts
    return Path(*parts[: next(k for k, part in enumerate(parts) if glob.has_magic(part))])


def _stem_below(root: Path, volume: Path) -> str:
    parents = () if volume == root else volume.parent.relative_to(root).parts
    return "_".join([*parents, image_stem(volume)])


def _subfolders(folder: Path) -> list[Path]:
    return sorted((p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")), key=natural_order)


def _of_folder(folder: Path) -> list[Path]:
    from medseg.io.dicom import is_dicom_folder  # SimpleITK takes a second to import

    has_files = any(is_volume(p) and not p.is_dir() and not p.name.startswith(".") for p in folder.iterdir())
    if is_dicom_folder(folder):
        if has_files:
            raise InputError(f"{folder}: holds volume files beside DICOM files; name the one that is meant")
        return [folder]
    if has_files:
        return list_images(folder, VOLUME_SUFFIXES)
    inside = _nested_series(folder, {folder.resolve()})
    if not inside:
        raise InputError(f"{folder}: no volumes in this folder ({', '.join(VOLUME_SUFFIXES)} or CT series of DICOM)")
    return inside


def _nested_series(folder: Path, above: set[Path]) -> list[Path]:
    """The folders below that hold a CT series, each before those in it; links back to one above are passed over."""
    from medseg.io.dicom import holds_ct

    found = []
    for path in _subfolders(folder):
        real = path.resolve()
        if real in above:
            continue
        try:
            found += [path] * holds_ct(path) + _nested_series(path, above | {real})
        except PermissionError:
            found.append(path)
    return found
