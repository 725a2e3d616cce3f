"""One channel of an image of several stains: the one to segment."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from medseg.errors import InputError
from medseg.io.source_file import describe_source


class SelectChanneld(MapTransform):
    """Pass one channel on.

    Args:
        keys: images ``(C, *spatial)``.
        channel: its number, from 0; None passes all on.

    Raises:
        InputError: an image without this channel.
    """

    def __init__(self, keys: KeysCollection, channel: int | None = None, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.channel = channel

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with ``(1, *spatial)``, a copy too, in the keys."""
        result = dict(data)
        if self.channel is None:
            return result
        for key in self.key_iterator(result):
            image = result[key]
            if not 0 <= self.channel < image.shape[0]:
                raise InputError(
                    f"the image{describe_source(image)} has no channel {self.channel}: it has {image.shape[0]}, "
                    f"counted from 0 to {image.shape[0] - 1}"
                )
            one = image[self.channel : self.channel + 1]
            # a view would keep all channels in memory, in a cache and on the way from a loader's worker
            result[key] = one.clone() if isinstance(one, torch.Tensor) else one.copy()
        return result
