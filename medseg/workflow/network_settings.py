"""Settings that shape a network stay beside its weights, so that prediction builds the network that was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.errors import InputError
from medseg.io.json_file import write_json

FILE = "network_settings.json"
_SHAPING = ("network_def", "side_pairs")


def write_network_settings(run_dir: Path, overrides: Mapping[str, Any]) -> None:
    """Write the overrides of ``train.json`` that prediction has to repeat to ``run_dir``; no file if there are none."""
    settings = {key: value for key, value in overrides.items() if _parts(key)[0] in _SHAPING}
    if settings:
        write_json(run_dir / FILE, settings, overwrite=True)
    else:
        (run_dir / FILE).unlink(missing_ok=True)  # of a run that was here before


def with_network_settings(weights: Path, overrides: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Overrides with those of the training that made ``weights``, where they are not given anew.

    Returns:
        All overrides, and a line for each that was added.

    Raises:
        InputError: the file beside the weights is damaged.
    """
    path = weights.parent / FILE
    if not path.is_file():
        return overrides, []
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        given = [_parts(key) for key in overrides]
        added = {k: v for k, v in settings.items() if not any(_parts(k)[: len(parts)] == parts for parts in given)}
    except (ValueError, AttributeError) as error:
        raise InputError(f"{path}: not as `medseg train` wrote it; restore it, or move the weights away") from error
    return added | overrides, [f"as in training: {key}={json.dumps(value)}" for key, value in added.items()]


def _parts(key: str) -> tuple[str, ...]:
    """MONAI reads # and :: alike."""
    return tuple(key.replace("#", "::").split("::"))
