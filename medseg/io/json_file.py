"""JSON files: what users give holds an object; what is written is whole or not there, in one encoding for all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from medseg.errors import InputError
from medseg.io.atomic import atomic_target


def read_json_object(path: str | Path) -> dict[str, Any]:
    """What a user's file says by name.

    Raises:
        InputError: no such file, no JSON, or JSON that is no object.
    """
    try:
        content = json.loads(Path(path).read_bytes())  # also with the mark that Windows puts before UTF-8
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a JSON object, {{...}}, not {type(content).__name__}")
    return content


def write_json(path: str | Path, content: Any, *, overwrite: bool = False) -> None:
    """Write what ``json`` can hold.

    Raises:
        InputError, OSError: as :func:`medseg.io.atomic.atomic_target`.
    """
    with atomic_target(path, overwrite=overwrite) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
