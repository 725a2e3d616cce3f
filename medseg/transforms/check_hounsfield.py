"""Notice a "CT" whose values are not Hounsfield units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import TransformBackends, convert_to_tensor

from medseg.errors import InputError
from medseg.io.source_file import describe_source
from medseg.io.volume import warn
from medseg.transforms.hu_window import level_and_width

_BRIGHTEST_PICTURE = 255
_PADDING_HU = -1500  # what lies below fills the corners outside the scanner's circle and says nothing of the offset
_LEAST_AIR_HU = -100  # resampling swings a little below the darkest voxel


class CheckHounsfieldd(MapTransform):
    """Warn of images that are no CT in Hounsfield units, and refuse those without a body.

    Args:
        keys: images ``(1, *spatial)`` as they come from the file; they pass through unchanged.
        window: CT window as in :class:`HUWindowd`; an image that lies below it as a whole is refused.
        allow_missing_keys: skip keys that an item lacks.

    Warns:
        InputWarning: gray values of a picture, a missing offset: see :func:`why_not_hounsfield`.

    Raises:
        InputError: no voxel above the lower end of the window.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        keys: KeysCollection,
        window: str | Sequence[float] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.lowest = -float("inf")
        if window is not None:
            level, width = level_and_width(window)
            self.lowest = level - width / 2

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at each key; the data pass through unchanged."""
        for key in self.key_iterator(data):
            image = convert_to_tensor(data[key], track_meta=False).float()  # torch knows no least value of uint16
            name = describe_source(data[key]).removeprefix(" of ") or key
            high = float(image.max())
            padding = _PADDING_HU if high > _PADDING_HU else -torch.inf
            low = float(torch.where(image > padding, image, torch.inf).min())  # a mask as index takes 100 times as long
            if high <= self.lowest:
                raise InputError(f"{name}: no voxel above {self.lowest:g} HU (the highest is {high:g}): no body in it")
            if reason := why_not_hounsfield(low, high):
                warn(f"{name}: {reason}; the structures found may be wrong")
        return dict(data)


def why_not_hounsfield(low: float, high: float) -> str | None:
    """What is wrong with a range of values, without padding, for a CT of a body in air; None if nothing is."""
    values = f"values from {low:g} to {high:g}"
    if low == high:
        return f"all voxels are {low:g}, there is nothing in it"
    if low >= 0 and high <= 1:
        return f"{values}: scaled to 0-1, not Hounsfield units"
    if low >= 0 and high <= _BRIGHTEST_PICTURE:
        return f"{values}: a gray picture, not Hounsfield units (air -1000, water 0); export the CT itself"
    if low >= _LEAST_AIR_HU:
        return f"{values}: no air at -1000, the offset of Hounsfield units (-1024 as a rule) seems to be missing"
    return None
