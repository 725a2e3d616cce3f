"""The boxes from which the region proposal network starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Shape = tuple[float, ...]


def anchor_shapes(
    sizes: Sequence[float | Sequence[float]], aspect_ratios: Sequence[Sequence[float]]
) -> list[list[Shape]]:
    """Anchor sides per pyramid level from sizes and aspect ratios.

    Args:
        sizes: one per level, pixels; or several per level.
        aspect_ratios: relative sides, one number per axis, e.g. ``(0.5, 1)`` for boxes half as high as wide. An
            anchor has the volume of a cube with side ``size``.

    Returns:
        Per level: for each ratio, for each size, the sides.
    """
    shapes = []
    for level in sizes:
        level_sizes = (level,) if isinstance(level, int | float) else tuple(level)
        shapes.append(
            [
                tuple(s * r / math.prod(ratio) ** (1 / len(ratio)) for r in ratio)
                for ratio in aspect_ratios
                for s in level_sizes
            ]
        )
    return shapes


def cell_anchors(shapes: Sequence[Shape]) -> Tensor:
    """Boxes ``(A, 2 d)`` of the given sides about the origin, corners rounded half to even."""
    half = torch.tensor(shapes, dtype=torch.float64, device="cpu") / 2
    return torch.cat([-half, half], dim=1).round()


def grid_anchors(shapes: Sequence[Shape], grid_shape: Sequence[int], stride: Sequence[int], like: Tensor) -> Tensor:
    """Anchors of one pyramid level, ``(cells * A, 2 d)`` in pixels, of the type and on the device of ``like``.

    Cell k lies at pixel ``k * stride``, where a ResNet's receptive field is centred (MONAI's ``AnchorGenerator``
    puts it half a stride further). Order: cells as in memory, then shapes.
    """
    axes = [torch.arange(n, device=like.device) * s for n, s in zip(grid_shape, stride, strict=True)]
    centres = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2).to(like.dtype)
    return (centres.repeat(1, 2)[:, None] + cell_anchors(shapes).to(like)).flatten(0, 1)
