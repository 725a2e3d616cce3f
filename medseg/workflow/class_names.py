"""Which label is called what: as somebody says, or as the data set does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.errors import InputError
from medseg.io.json_file import read_json_object


def named_classes(*descriptions: Path | None) -> dict[str, str] | None:
    """``classes`` of the first ``dataset.json`` that names them; None if none does.

    Raises:
        InputError: a file that is no JSON object, or whose ``classes`` are none.
    """
    for path in descriptions:
        if path and path.is_file():
            classes = read_json_object(path).get("classes") or {}
            if not isinstance(classes, dict):
                raise InputError(f"{path}: classes must be names by label, not {classes}")
            if classes:
                return {str(label): str(name) for label, name in classes.items()}
    return None


def structures_of(given: Any, named: Mapping[str, str] | None, classes: int) -> dict[str, str]:
    """Names by label of a network's classes: as given, else those of the data set; empty if nobody names them.

    Raises:
        InputError: given are other than names by label, or a label that the network does not have; a name that a
            config would compute.
    """
    known = {str(label) for label in range(classes)}
    if given is None:
        given = {label: name for label, name in (named or {}).items() if label in known}
    if isinstance(given, Mapping) and set(given) <= known and all(isinstance(name, str) for name in given.values()):
        if computed := [name for name in given.values() if name.startswith(("$", "@", "%"))]:
            raise InputError(f"{computed[0]!r} is no name of an organ: MONAI would compute it; begin it with a letter")
        return dict(given)
    raise InputError(
        f'structures={given}: give names by label, --set \'structures={{"1": "liver"}}\'; there are the labels 0 to '
        f"{classes - 1} (network_def::out_channels={classes})"
    )
