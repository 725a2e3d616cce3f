"""Values of command-line options that become values of a bundle's config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from medseg.errors import InputError

_PYTHONS = {"True": True, "False": False, "None": None}


def parse_settings(settings: list[str] | None, own: Mapping[str, str]) -> dict[str, Any]:
    """``["epochs=3", "train::batch_size=2"]`` as a dictionary; values are JSON where they can be, else text.

    ``True``, ``False`` and ``None`` are what they are in Python: as text they would all count as true.

    Args:
        settings: what was given with ``--set``.
        own: keys that the command sets itself, and the option to use for each.

    Raises:
        InputError: an item without ``=``, a key among ``own``: it would be set twice; a list that is no JSON.
    """
    values: dict[str, Any] = {}
    for item in settings or []:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise InputError(f"--set {item}: give KEY=VALUE, for example --set epochs=20")
        if key in own:
            raise InputError(f"--set {item}: use {own[key]} for {key}")
        try:
            values[key] = json.loads(text)
        except json.JSONDecodeError:
            if text.startswith(("[", "{", "(")):
                raise InputError(
                    f"--set {item}: {text} is no JSON; write lists as [64,64], texts in double quotes, all of it in "
                    'single quotes: --set \'KEY=["a","b"]\''
                ) from None
            values[key] = _PYTHONS.get(text, text)
    return values


def parse_shape(option: str, text: str, dimensions: int) -> list[int]:
    """``"572,572"`` as ``[572, 572]``.

    Raises:
        InputError: not ``dimensions`` positive whole numbers separated by commas.
    """
    parts = [p.strip() for p in text.split(",")]
    if len(parts) != dimensions or not all(p.isdecimal() and int(p) > 0 for p in parts):
        example = ",".join(["572", "572"] if dimensions == 2 else ["100"] * dimensions)
        raise InputError(f"{option} {text}: give {dimensions} positive whole numbers, for example {example}")
    return [int(p) for p in parts]
