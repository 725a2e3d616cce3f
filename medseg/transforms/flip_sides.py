"""Mirror left and right where labels know their side: the parotid that was right becomes the left one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import TransformBackends, convert_to_tensor

from medseg.errors import InputError


class RandFlipSidesd(MapTransform, RandomizableTransform):
    """Flip images and labels along the axis of the sides, and exchange the labels of paired organs.

    Args:
        keys: entries to flip, ``(C, *spatial)``.
        label_keys: those of ``keys`` whose values are exchanged; integers in any dtype.
        pairs: pairs of labels that change places, for example ``[[3, 4]]``; no label twice.
        spatial_axis: axis from side to side, 0 for images oriented to RAS.
        prob: probability of flipping.
        allow_missing_keys: skip keys that an item lacks.

    The affine stays: the anatomy is mirrored, not the axes. ``Invertd`` passes it over; a second flip undoes it.

    Raises:
        InputError: a label occurs in two pairs, or a label key is not among ``keys``.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        keys: KeysCollection,
        label_keys: KeysCollection,
        pairs: Sequence[Sequence[int]],
        spatial_axis: int = 0,
        prob: float = 0.5,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.label_keys = (label_keys,) if isinstance(label_keys, str) else tuple(label_keys)
        if missing := set(self.label_keys) - set(self.keys):
            raise InputError(f"RandFlipSidesd: label_keys {sorted(missing)} are not among the keys {list(self.keys)}")
        self.pairs = [(int(a), int(b)) for a, b in pairs]
        labels = [label for pair in self.pairs for label in pair]
        if len(set(labels)) < len(labels):
            raise InputError(f"RandFlipSidesd: pairs={pairs}: each label has one partner at most")
        self.dim = spatial_axis + 1 if spatial_axis >= 0 else spatial_axis  # behind the channels

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` whose keys are mirrored together, or left alone."""
        result = dict(data)
        self.randomize(None)
        flips = self._do_transform  # read once: threads that share the transform draw anew meanwhile
        for key in self.key_iterator(result):
            result[key] = convert_to_tensor(result[key], track_meta=get_track_meta())  # one type, whatever is drawn
            if flips:
                flipped = result[key].flip(self.dim)
                result[key] = exchange_labels(flipped, self.pairs) if key in self.label_keys else flipped
        return result


def exchange_labels(labels: torch.Tensor, pairs: Sequence[tuple[int, int]]) -> torch.Tensor:
    """A copy in which the two labels of each pair have changed places."""
    ids = labels if labels.is_floating_point() else labels.long()  # torch fills no tensor of uint16 or uint32
    exchanged = ids.clone()
    for before, after in (pair for a, b in pairs for pair in ((a, b), (b, a))):
        exchanged[ids == before] = after
    return exchanged.to(labels.dtype)
