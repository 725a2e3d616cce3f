"""Which label is called what: as somebody says, or as the data set does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medseg.errors import InputError


def named_classes(*descriptions: Path | None) -> dict[str, str] | None:
    """``classes`` of the first ``dataset.json`` that names them; None if none does.

    Raises:
        InputError: a file that is no JSON object, or whose ``classes`` are none.
    """
    for path in descriptions:
        if path and path.is_file():
            try:
                if classes := json.loads(path.read_text(encoding="utf-8")).get("classes"):
                    return {str(label): str(name) for label, name in classes.items()}
            except (ValueError, AttributeError) as error:
                raise InputError(f"{path}: no description of a data set with its classes by label ({error})") from error
    return None


def structures_of(given: Any, named: Mapping[str, str] | None, classes: int) -> dict[str, str]:
    """Names by label of a network's classes: as given, else those of the data set; empty if nobody names them.

    Raises:
        InputError: given are other than names by label, or a label that the network does not have.
    """
    known = {str(label) for label in range(classes)}
    if given is None:
        return {label: name for label, name in (named or {}).items() if label in known}
    if isinstance(given, Mapping) and set(given) <= known and all(isinstance(name, str) for name in given.values()):
        return dict(given)
    raise InputError(
        f'structures={given}: give names by label, --set \'structures={{"1": "liver"}}\'; there are the labels 0 to '
        f"{classes - 1} (network_def::out_channels={classes})"
    )
