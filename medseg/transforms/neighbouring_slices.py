"""A slice of a volume with its neighbours as channels: what a 2D network sees of the third dimension."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.transforms import MapTransform
from monai.utils import TransformBackends, convert_to_tensor


class NeighbouringSlicesd(MapTransform):
    """Turn a slab ``(1, X, Y, Z)`` into its middle slice: the image with neighbours as channels, the label alone.

    Args:
        keys: images, which become ``(len(offsets), X, Y)``.
        label_keys: labels, which become ``(1, X, Y)``.
        offsets: of the slices relative to the middle one; beyond the slab the outermost slice is repeated.
        allow_missing_keys: skip keys that an item lacks.

    The results are plain tensors: a 2D slice has no place in the volume's affine.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        keys: KeysCollection,
        label_keys: KeysCollection = (),
        offsets: Sequence[int] = (-1, 0, 1),
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.label_keys = (label_keys,) if isinstance(label_keys, str) else tuple(label_keys)
        self.offsets = tuple(int(k) for k in offsets)

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, NdarrayOrTensor]:
        """Return a copy of ``data`` with the keys as slices."""
        result = dict(data)
        wanted = [(key, self.offsets) for key in self.key_iterator(result)]
        wanted += [(key, (0,)) for key in self.label_keys if key in result or not self.allow_missing_keys]
        for key, offsets in wanted:
            volume = convert_to_tensor(result[key], track_meta=False)
            middle = torch.tensor([volume.shape[-1] // 2], device=volume.device)
            result[key] = neighbouring_slices(volume, middle, offsets)[0]
        return result


def neighbouring_slices(volume: torch.Tensor, slices: torch.Tensor, offsets: Sequence[int]) -> torch.Tensor:
    """Slices of a volume along its last axis, each with its neighbours as channels.

    Args:
        volume: ``(1, X, Y, Z)``.
        slices: ``(n,)`` indices along Z.
        offsets: of the channels; beyond the volume the outermost slice is repeated.

    Returns:
        ``(n, len(offsets), X, Y)``.

    Raises:
        ValueError: a volume of several channels.
    """
    if volume.dim() != 4 or volume.shape[0] != 1:
        raise ValueError(f"a volume is (1, X, Y, Z) here, not {tuple(volume.shape)}")
    neighbours = slices[:, None] + torch.tensor(list(offsets), device=slices.device)
    return volume[0].movedim(-1, 0)[neighbours.clamp(0, volume.shape[-1] - 1)].contiguous()
