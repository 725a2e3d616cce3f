"""Write a file wholly or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medseg.errors import InputError


@contextmanager
def atomic_target(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success it becomes ``path``, on any error it is removed.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is false, or its folder cannot be made.
        OSError: writing failed (disk full, no permission), ``path`` is its ``filename``; nothing half-written stays.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; choose another output folder or allow overwriting (--overwrite)")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{path.parent}: cannot be made a folder, a file of that name is in the way") from error
    partial = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        # a failed write knows no name, and that of the temporary file helps nobody
        if error.filename is None or os.path.abspath(error.filename) == os.path.abspath(partial):
            error.strerror = error.strerror or str(error)  # numpy's own have only a text
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)
