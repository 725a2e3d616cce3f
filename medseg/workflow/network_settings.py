"""What a network is, what it sees and what its labels are called stays beside its weights, for prediction to share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.catalog import Bundle
from medseg.errors import InputError
from medseg.io.json_file import write_json

FILE = "network_settings.json"
_OF_ONE_RUN = ("axes", "device", "imports", "initialize", "network", "run")  # network: where network_def lies in memory


def write_network_settings(run_dir: Path, bundle: Bundle, overrides: Mapping[str, Any]) -> None:
    """Write the overrides of ``train.json`` that ``inference.json`` knows too; no file if there are none."""
    known = bundle.settings("inference")
    settings = {
        key: value
        for key, value in overrides.items()
        if _parts(key)[0] not in _OF_ONE_RUN and "::".join(_parts(key)) in known
    }
    if settings:
        write_json(run_dir / FILE, settings, overwrite=True)
    else:
        (run_dir / FILE).unlink(missing_ok=True)  # of a run that was here before


def with_network_settings(weights: Path, overrides: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Overrides with those of the training that made ``weights``, where they are not given anew.

    Returns:
        All overrides, and a line for each that was added.

    Raises:
        InputError: the file beside the weights is damaged, or holds code: weights of others are loaded without running
            any, and what lies beside them must not run either.
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
    for key, value in added.items():
        if any(map(_is_reserved, _parts(key))) or _is_code(value):
            raise InputError(
                f"{path}: {key} holds code, which is not run from there; if you trust it, give it yourself: "
                f"--set '{key}={value if isinstance(value, str) else json.dumps(value)}'"
            )
    return added | overrides, [f"as in training: {key}={json.dumps(value)}" for key, value in added.items()]


def _is_code(value: Any) -> bool:
    """Whether MONAI would compute, include or build it: ``$...``, ``%...``, ``_target_``."""
    if isinstance(value, Mapping):
        return any(_is_reserved(key) or _is_code(part) for key, part in value.items())
    if isinstance(value, list):
        return any(map(_is_code, value))
    return isinstance(value, str) and value.startswith(("$", "%"))


def _is_reserved(key: str) -> bool:
    return key.startswith("_")


def _parts(key: str) -> tuple[str, ...]:
    """MONAI reads # and :: alike."""
    return tuple(key.replace("#", "::").split("::"))
