"""CSV files to write: whole or not at all, one encoding for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from medseg.io.atomic import atomic_target


@contextmanager
def csv_file(path: str | Path, *, overwrite: bool = False) -> Iterator[TextIO]:
    """Give a text file in UTF-8 for ``csv.writer``; on success it becomes ``path``, on any error it is removed.

    Bytes of file names that are no text are written as ``\\udcff``.

    Raises:
        InputError, OSError: as :func:`medseg.io.atomic.atomic_target`.
    """
    with (
        atomic_target(path, overwrite=overwrite) as target,
        target.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        yield file
