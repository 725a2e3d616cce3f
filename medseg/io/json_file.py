"""JSON files to write: whole or not at all, indented, one encoding for all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from medseg.io.atomic import atomic_target


def write_json(path: str | Path, content: Any, *, overwrite: bool = False) -> None:
    """Write what ``json`` can hold.

    Raises:
        InputError, OSError: as :func:`medseg.io.atomic.atomic_target`.
    """
    with atomic_target(path, overwrite=overwrite) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
