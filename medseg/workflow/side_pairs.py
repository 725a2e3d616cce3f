"""Left and right are exchanged where the labels are the bundle's; of other labels somebody has to say it."""

from __future__ import annotations

from typing import Any

from monai.bundle import ConfigParser

from medseg.catalog import Bundle
from medseg.errors import InputError


def refuse_pairs_of_other_labels(
    bundle: Bundle, parser: ConfigParser, overrides: dict[str, Any], classes: dict[str, str] | None = None
) -> None:
    """Refuse the ``side_pairs`` of a bundle's config where the labels are not the bundle's.

    Args:
        bundle: the bundle.
        parser: its config with the overrides.
        overrides: what a user set; ``side_pairs`` among it is taken as it is.
        classes: names of the labels in use, by label, where they are known.

    Raises:
        InputError: another number of classes or other names than the bundle's, and nobody said which are pairs.
    """
    pairs = parser.get("side_pairs")
    if not pairs or "side_pairs" in overrides or not parser.get("tta", True):
        return
    own = bundle.metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    count = parser["network_def::out_channels"]
    if classes and classes | {"0": ""} != own | {"0": ""}:  # whatever the background is called
        what = ", ".join(f"{label} is {classes.get(str(label), 'no class')}" for pair in pairs for label in pair)
    elif count != len(own):
        what = f"there are {count} classes, not {len(own)}"
    else:
        return
    raise InputError(
        f"{bundle.name}: it exchanges left and right in mirror images, side_pairs {pairs}, but of these labels {what}: "
        'say --set "side_pairs=[]", or the pairs of yours'
    )
