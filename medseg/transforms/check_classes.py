"""Refuse a label image whose values the network has no classes for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from medseg.errors import InputError
from medseg.io.source_file import describe_source


class CheckClassesd(MapTransform):
    """Pass labels of whole numbers from 0 to the last class on, refuse the others.

    MONAI's losses fail on such a value in the first crop that holds it, which may be hours later, and name no file.

    Args:
        keys: labels ``(1, *spatial)``, one class per pixel, 0 = background.
        num_classes: the number of classes, the background's among them.
        allow_missing_keys: skip keys that an item lacks.

    Raises:
        InputError: a value below 0, above ``num_classes - 1``, or that is no whole number.
    """

    def __init__(self, keys: KeysCollection, num_classes: int, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.num_classes = num_classes
        self._seen: set[int] = set()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at the keys; the data pass through unchanged."""
        known = range(self.num_classes)
        for key in self.key_iterator(data):
            labels = convert_to_tensor(data[key], track_meta=False).cpu()
            # numpy has no bfloat16, but finds the values of a volume several times faster than torch
            values = np.unique(labels.float() if labels.dtype == torch.bfloat16 else labels).tolist()
            source = describe_source(data[key])
            if broken := [value for value in values if value != value or value % 1]:
                raise InputError(f"the labels{source} hold {broken[0]:g}: classes are whole numbers, never between two")
            if other := [value for value in values if value not in known]:
                shown = ", ".join(f"{value:g}" for value in other[:5]) + (" ..." if len(other) > 5 else "")
                raise InputError(
                    f"the labels{source} hold {shown}, but the {self.num_classes} classes are 0 "
                    f"(background) to {known[-1]}: number the organs from 1 on without gaps, and give the network as "
                    "many classes (--set network_def::out_channels=N)"
                )
            self._seen.update(map(int, values))
        return dict(data)

    def never_seen(self) -> list[int]:
        """Classes that no label so far held; none before the first label."""
        return sorted(set(range(1, self.num_classes)) - self._seen) if self._seen else []
