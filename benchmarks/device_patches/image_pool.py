"""Images of any size in one tensor on the device, read at arbitrary points, a whole batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor


class ImagePool:
    """All images of a data set side by side, so that a batch is one gather and no image is ever padded.

    Args:
        images: ``(C, *spatial)`` tensors of one dtype and number of channels.
        device: where they are kept.
        outside: what lies beyond an image: ``"reflect"`` (mirrored at its edge), ``"border"`` or ``"zeros"``.
    """

    def __init__(self, images: Sequence[Tensor], device: torch.device | str, outside: str = "reflect") -> None:
        self.outside = outside
        self.channels = images[0].shape[0]
        self.shapes = torch.tensor([tuple(i.shape[1:]) for i in images], device=device)
        sizes = torch.tensor([i.numel() for i in images])
        self.base = (sizes.cumsum(0) - sizes).to(device)
        self.values = torch.cat([i.reshape(-1) for i in images]).to(device)

    def read(self, index: Tensor, points: Tensor, linear: bool = True) -> Tensor:
        """Values of the images ``index`` ``(B,)`` at ``points`` ``(B, *size, d)`` in pixels: ``(B, C, *size)``."""
        shapes = self.shapes[index]
        channel = torch.arange(self.channels, device=shapes.device) * shapes.prod(1, keepdim=True)
        return self._gather(self.base[index, None] + channel, shapes, points, linear)

    def read_slices(self, index: Tensor, slices: Tensor, points: Tensor, linear: bool = True) -> Tensor:
        """As channels, the slices ``(B, K)`` along the first axis of one-channel volumes, at in-plane points."""
        shapes = self.shapes[index]
        slices = slices.clamp_min(0).minimum(shapes[:, :1] - 1)
        return self._gather(
            self.base[index, None] + slices * shapes[:, 1:].prod(1, keepdim=True), shapes[:, 1:], points, linear
        )

    def _gather(self, base: Tensor, shapes: Tensor, points: Tensor, linear: bool) -> Tensor:
        dims = points.shape[-1]
        along = (-1, *[1] * (points.ndim - 2))
        ends = [shapes[:, axis].reshape(along) for axis in range(dims)]
        places = [self._inside(points[..., axis], ends[axis]) for axis in range(dims)]
        known = torch.ones_like(points[..., 0], dtype=torch.bool)
        if self.outside == "zeros":
            for axis in range(dims):
                known &= (points[..., axis] > -0.5) & (points[..., axis] < ends[axis] - 0.5)
        steps, step = [], torch.ones_like(ends[0])
        for end in reversed(ends):
            steps.insert(0, step)
            step = step * end
        base = base.reshape(*base.shape, *[1] * (points.ndim - 2))
        if not linear:
            at = sum(p.round().long() * s for p, s in zip(places, steps, strict=True))
            return self.values[base + at[:, None]] * known[:, None]
        low = [p.floor().long() for p in places]
        part = [p - q for p, q in zip(places, low, strict=True)]
        out: Tensor | float = 0.0
        for corner in product((0, 1), repeat=dims):
            at, weight = 0, known.float()
            for axis, side in enumerate(corner):
                at = at + (low[axis] + side).minimum(ends[axis] - 1) * steps[axis]
                weight = weight * (part[axis] if side else 1 - part[axis])
            out = out + self.values[base + at[:, None]].float() * weight[:, None]
        return out

    def _inside(self, place: Tensor, end: Tensor) -> Tensor:
        if self.outside == "reflect":
            place = (place + 0.5).remainder(2 * end)
            place = torch.where(place > end, 2 * end - place, place) - 0.5
        return place.clamp_min(0).minimum((end - 1).to(place.dtype))
