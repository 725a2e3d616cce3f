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
        """Return ``data`` unchanged."""
        for key in self.key_iterator(data):
            shape = tuple(data[key].shape)
            if shape[0] != self.channels:
                kind = "gray (1 channel)" if self.channels == 1 else f"{self.channels} channels"
                raise InputError(
                    f"the image{describe_source(data[key])} has {shape[0]} channels, this bundle needs {kind}; "
                    "convert it; if these are sections, save them as a stack, axes ZYX (of a plain TIFF say so, "
                    "--axes ZYX)"
                )
            if len(shape) - 1 < self.spatial_dims:
                raise InputError(
                    f"the image{describe_source(data[key])} has no {self.spatial_dims} spatial axes: {shape}"
                )
        return dict(data)
