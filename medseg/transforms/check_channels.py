"""Refuse an image whose channels the network was not made for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform

from medseg.errors import InputError
from medseg.io.source_file import describe_source


class CheckChannelsd(MapTransform):
    """Pass images of the right number of channels on, refuse the others.

    Gray images that were saved as RGB, three equal channels, count as gray and lose two of them.

    Args:
        keys: images ``(C, *spatial)``.
        channels: the number of channels wanted.
        spatial_dims: the least number of spatial axes wanted.

    Raises:
        InputError: another number of channels, too few axes.
    """

    def __init__(
        self, keys: KeysCollection, channels: int, spatial_dims: int = 2, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.channels, self.spatial_dims = channels, spatial_dims

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of ``data``."""
        result = dict(data)
        for key in self.key_iterator(result):
            if self.channels == 1 and result[key].shape[0] == 3 and bool((result[key][:1] == result[key][1:]).all()):
                result[key] = result[key][:1]
            shape = tuple(result[key].shape)
            if shape[0] != self.channels:
                kind = "gray (1 channel)" if self.channels == 1 else f"{self.channels} channels"
                raise InputError(
                    f"the image{describe_source(data[key])} has {shape[0]} channels, this bundle needs {kind}; "
                    "choose the one to segment, --channel 0 for example; if these are sections, save them as a "
                    "stack, axes ZYX (of a plain TIFF say so, --axes ZYX)"
                )
            if len(shape) - 1 < self.spatial_dims:
                raise InputError(
                    f"the image{describe_source(data[key])} has no {self.spatial_dims} spatial axes: {shape}"
                )
        return result
