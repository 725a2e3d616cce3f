"""A random window of random size, resized: objects of every size out of one image."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection, NdarrayOrTensor
from monai.data import MetaTensor
from monai.data.meta_obj import get_track_meta
from monai.transforms import MapTransform, Randomizable
from monai.utils import TransformBackends, convert_to_dst_type, convert_to_tensor, ensure_tuple_rep
from torch.nn.functional import interpolate

from medseg.errors import InputError

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


class RandScaledCropd(Randomizable, MapTransform):
    """Cut a window at a random place and scale it to a fixed size, by a factor that is drawn anew each time.

    The window never leaves the image while the image is large enough, so nothing is mirrored: a mirrored object
    would have its twin's id, and boxes would span both. Only the window is resampled, whatever the image's size.

    Args:
        keys: images and label images of one shape.
        size: of the result in pixels, one number per axis.
        zoom: least and greatest scale, drawn evenly on a logarithmic scale; the least one rises to what the image
            holds. An image that is too small at any scale is padded with zeros behind.
        mode: per key, ``"linear"`` (antialiased where 2D images shrink; float32) or ``"nearest"`` (any type kept).

    Shapes: ``(C, *spatial)`` to ``(C, *size)``; the affine follows. ``Invertd`` passes it over; ``ResampleToMatchd``
    brings a result back to the image by the affine.

    Raises:
        InputError: scales or modes that cannot be used, keys of different shapes.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012 (MONAI's own convention)

    def __init__(
        self,
        keys: KeysCollection,
        size: Sequence[int],
        zoom: tuple[float, float] = (0.5, 2.0),
        mode: str | Sequence[str] = ("linear", "nearest"),
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.size, self.zoom = tuple(size), tuple(zoom)
        self.mode = ensure_tuple_rep(mode, len(self.keys))
        if len(self.zoom) != 2 or not 0 < self.zoom[0] <= self.zoom[1]:
            raise InputError(f"RandScaledCropd: zoom={self.zoom}; give the least and the greatest scale, above 0")
        if not set(self.mode) <= {"linear", "nearest"} or min(self.size) < 1:
            raise InputError(f"RandScaledCropd: mode={self.mode}, size={self.size}; modes are 'linear' and 'nearest'")
        self.window: tuple[slice, ...] = ()

    def randomize(self, shape: Sequence[int]) -> tuple[tuple[slice, ...], tuple[int, ...]]:
        """Draw ``self.window`` in an image of the given spatial shape; return it and the sizes it fills."""
        low, high = self.zoom
        fits = max(target / side for target, side in zip(self.size, shape, strict=True))
        low = min(max(low, fits), high)
        factor = low * (high / low) ** self.R.uniform()
        window, filled = [], []
        for target, side in zip(self.size, shape, strict=True):
            wanted = max(1, round(target / factor))
            length = min(side, wanted)
            start = int(self.R.randint(side - length + 1))
            window.append(slice(start, start + length))
            # rounding takes nothing away: the whole size is filled unless the image ended before
            filled.append(target if length == wanted else min(target, max(1, round(length * factor))))
        self.window, self.factor = tuple(window), factor
        return tuple(window), tuple(filled)

    def __call__(self, data: Mapping[Hashable, NdarrayOrTensor]) -> dict[Hashable, Any]:
        """Return a copy of ``data`` with the same window of all keys, resized."""
        result: dict[Hashable, Any] = dict(data)
        shape: tuple[int, ...] | None = None
        for key, mode in self.key_iterator(data, self.mode):
            image = convert_to_tensor(data[key], track_meta=get_track_meta())
            if shape is None:
                shape = tuple(image.shape[1:])
                if len(shape) != len(self.size):
                    raise InputError(f"RandScaledCropd: {key!r} has shape {tuple(image.shape)}, size is {self.size}")
                window, filled = self.randomize(shape)  # not read off the instance, which threads may share
            elif tuple(image.shape[1:]) != shape:
                raise InputError(f"RandScaledCropd: {key!r} has spatial shape {tuple(image.shape[1:])}, not {shape}")
            crop = convert_to_tensor(image, track_meta=False)[(slice(None), *window)]
            out = _resized(crop, self.size, filled, mode)
            result[key] = convert_to_dst_type(out, dst=image, dtype=out.dtype)[0]
            if isinstance(image, MetaTensor):
                result[key].affine = _moved(image.affine, window, filled)
        return result


def _moved(affine: torch.Tensor, window: Sequence[slice], filled: Sequence[int]) -> torch.Tensor:
    """The affine of the result: pixel centres of the window, scaled about its outer edge."""
    step = torch.eye(len(affine), dtype=affine.dtype)
    for axis, (side, length) in enumerate(zip(window, filled, strict=True)):
        scale = (side.stop - side.start) / length
        step[axis, axis], step[axis, -1] = scale, side.start + (scale - 1) / 2
    return affine @ step.to(affine.device)


def _resized(crop: torch.Tensor, size: Sequence[int], shape: Sequence[int], mode: str) -> torch.Tensor:
    """Scale to ``shape``; where that is smaller than ``size``, zeros stand behind it."""
    if mode == "nearest":
        for axis, n in enumerate(shape, start=1):
            length = crop.shape[axis]
            place = ((np.arange(n) + 0.5) * (length / n)).astype(np.int64).clip(max=length - 1)
            crop = crop.index_select(axis, torch.from_numpy(place).to(crop.device))
    else:
        shrinks = len(shape) == 2 and any(n < side for n, side in zip(shape, crop.shape[1:], strict=True))
        crop = interpolate(crop[None].float(), size=shape, mode=_LINEAR[len(shape)], antialias=shrinks)[0]
    out = crop.new_zeros((crop.shape[0], *size))
    out[(slice(None), *map(slice, shape))] = crop
    return out
