"""Say that results cannot be written before the work that makes them, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from medseg.errors import InputError


def check_output_folder(folder: str | Path) -> None:
    """Make sure that a folder is there to be written to, or can be made; nothing is made.

    Raises:
        InputError: a file is in the way, or the folder or the one it would be made in may not be written to.
    """
    folder = Path(folder)
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise InputError(f"{folder}: cannot be made a folder, the file {there} is in the way")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{there}: you may not write to this folder; write the results into another one")


def check_output_file(path: str | Path, *, overwrite: bool) -> None:
    """Make sure that a file can be written: as :func:`check_output_folder`, and nothing of its name is there.

    Raises:
        InputError: as :func:`check_output_folder`; it is a folder, or exists and ``overwrite`` is false.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; choose another name or allow overwriting (--overwrite)")
    check_output_folder(path.parent)


def check_output_files(*paths: Path | None, overwrite: bool) -> None:
    """:func:`check_output_file` of all that are named, of which no two may be one.

    Raises:
        InputError: as :func:`check_output_file`, or two are the same file.
    """
    outputs = [path for path in paths if path is not None]
    for number, path in enumerate(outputs):
        if path.resolve() in [other.resolve() for other in outputs[:number]]:
            raise InputError(f"{path}: named for two outputs, of which one would be lost; give each a name of its own")
        check_output_file(path, overwrite=overwrite)
