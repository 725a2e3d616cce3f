"""Values of command-line options that become values of a bundle's config."""

from __future__ import annotations

import json
from typing import Any

from medseg.errors import InputError


def parse_settings(settings: list[str] | None) -> dict[str, Any]:
    """``["epochs=3", "train::batch_size=2"]`` as a dictionary; values are JSON where they can be, else text.

    Raises:
        InputError: an item without ``=``.
    """
    values: dict[str, Any] = {}
    for item in settings or []:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise InputError(f"--set {item}: give KEY=VALUE, for example --set epochs=20")
        try:
            values[key] = json.loads(text)
        except json.JSONDecodeError:
            values[key] = text
    return values


def parse_shape(option: str, text: str) -> list[int]:
    """``"572,572"`` as ``[572, 572]``.

    Raises:
        InputError: not positive whole numbers separated by commas.
    """
    parts = text.split(",")
    if not all(p.strip().isdigit() and int(p) > 0 for p in parts):
        raise InputError(f"{option} {text}: give positive whole numbers separated by commas, for example 572,572")
    return [int(p) for p in parts]
