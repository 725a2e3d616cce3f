"""Which value of a label volume is which organ: somebody says it, nothing is guessed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from medseg.catalog import find_bundle
from medseg.errors import InputError
from medseg.workflow.class_names import named_classes

ALL_LABELS = "labels"
_HOW = (
    "name a bundle (headneck_ct_unet3d), the values (Liver=1,Spleen=2), a dataset.json with `classes`, a "
    f"<stem>_structures.csv of medseg predict, or `{ALL_LABELS}` (every value is an organ)"
)


def organ_names(text: str) -> dict[int, str] | None:
    """Names by value; None for "labels", every value that is found.

    Args:
        text: ``labels``, a JSON with ``classes``, a table with the columns ``label`` and ``structure``,
            ``NAME=VALUE,...``, or a bundle's name or folder.

    Raises:
        InputError: none of these, no organ, a name or a value that stands for two.
    """
    if text == ALL_LABELS:
        return None
    path = Path(text)
    if path.is_file():
        pairs = _of_file(path)
    elif "=" in text:
        pairs = [(value.strip(), name.strip()) for name, _, value in (p.partition("=") for p in text.split(","))]
    else:
        pairs = _of_bundle(text)
    try:
        pairs = [(int(value), name) for value, name in pairs]
    except (TypeError, ValueError):  # None: a line that ends early
        pairs = [(-1, "")]
    pairs = [(value, name) for value, name in pairs if value != 0]  # the background, where it has a name
    if not pairs or not all(0 < value <= 65535 and name for value, name in pairs):
        raise InputError(f"--organs {text}: each organ needs a name and a value from 1 to 65535; {_HOW}")
    for what in zip(*pairs, strict=True):
        if twice := [item for item, count in Counter(what).items() if count > 1]:
            raise InputError(
                f"--organs {text}: {twice[0]} stands for two organs; give each a value and name of its own"
            )
    return dict(sorted(pairs))


def _of_file(path: Path) -> list[tuple[str, str]]:
    if path.suffix.lower() == ".csv":
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:  # Excel puts a mark before its UTF-8
                return [(row["label"], row["structure"]) for row in csv.DictReader(file)]
        except (KeyError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: no table with the columns label and structure; {_HOW}") from error
    classes = named_classes(path)
    if not classes:
        raise InputError(f"{path}: names no classes; {_HOW}")
    return list(classes.items())


def _of_bundle(name: str) -> list[tuple[str, str]]:
    try:
        bundle = find_bundle(name)
    except InputError as error:
        raise InputError(f"--organs {name}: no bundle, no file and no NAME=VALUE; {_HOW}") from error
    if not bundle.takes_volumes:
        raise InputError(f"--organs {name}: this bundle segments no organs in volumes; {_HOW}")
    return list(bundle.metadata["network_data_format"]["outputs"]["pred"]["channel_def"].items())
