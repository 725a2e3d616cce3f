"""Write a file wholly or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medseg.errors import InputError

_IN_USE = (5, 32)  # Windows: access denied, sharing violation
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@contextmanager
def atomic_target(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success it becomes ``path``, on any error it is removed.

    Raises:
        InputError: ``path`` is a folder, it exists and ``overwrite`` is false, or its folder cannot be made.
        OSError: writing failed (disk full, no permission), ``path`` is its ``filename``; nothing half-written stays.
    """
    path = Path(path)
    if path.is_dir():  # Windows would say "access is denied"
        raise InputError(f"{path}: is a folder; name a file")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; choose another output folder or allow overwriting (--overwrite)")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{path.parent}: cannot be made a folder, a file of that name is in the way") from error
    partial = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        rename_when_free(partial, path)
    except OSError as error:
        # a failed write knows no name, and that of the temporary file helps nobody
        if error.filename is None or os.path.abspath(error.filename) == os.path.abspath(partial):
            error.strerror = error.strerror or str(error)  # numpy's own have only a text
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):  # Windows removes no file that the failed writer left open: what failed there counts
            partial.unlink(missing_ok=True)


def rename_when_free(source: Path, target: Path) -> None:
    """Rename a file or folder, in the place of a file that is there; on Windows wait up to three seconds to do so.

    Windows renames and replaces nothing that is open, and virus scanners, indexers and cloud folders open for a moment
    whatever was written.

    Raises:
        OSError: it cannot be renamed, or another program keeps it open.
    """
    for pause in (*_PAUSES_S, None):
        try:
            os.replace(source, target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            if pause is None:
                error.strerror = f"{error.strerror}; close it where it is open (Excel, a viewer) and try again"
                error.filename, error.filename2 = str(target), None
                raise
        time.sleep(pause)
