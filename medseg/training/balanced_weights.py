"""How often to draw each training image, so that rare kinds of images are learned too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from medseg.errors import InputError


def balanced_weights(items: Sequence[Mapping[str, Any]], power: float = 0.5) -> list[float]:
    """Relative frequency of each item, for ``torch.utils.data.WeightedRandomSampler``.

    A stratum of n groups is drawn in proportion to n ** power, and a group of m images of that stratum to
    m ** power: with 1 every image is as likely as any other, with 0 strata are drawn equally often, and so are the
    groups of a stratum. Items of the stratum ``""`` are a stratum; each item of the group ``""`` is a group of its own.

    Args:
        items: as :func:`medseg.io.training_items` lists them, with ``stratum`` and ``group``.
        power: 0 to 1.

    Returns:
        One weight per item; their sum is 1.

    Raises:
        InputError: no items, a power outside 0–1.
    """
    if not items or not 0 <= power <= 1:
        raise InputError(f"balanced_weights: {len(items)} items, power={power}; give at least one item and 0 to 1.")
    keys = [(item.get("stratum", ""), item.get("group") or index) for index, item in enumerate(items)]
    images = Counter(keys)
    groups = Counter(stratum for stratum, _ in images)
    in_stratum: Counter = Counter()
    for (stratum, _), count in images.items():
        in_stratum[stratum] += count**power
    of_strata = sum(count**power for count in groups.values())
    return [
        groups[stratum] ** power
        / of_strata
        * images[stratum, group] ** power
        / in_stratum[stratum]
        / images[stratum, group]
        for stratum, group in keys
    ]
