"""Images of different sizes in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class ImageBatch(NamedTuple):
    """``tensor`` ``(B, C, *spatial)``, zero behind each image; ``shapes``, the images' own spatial shapes."""

    tensor: Tensor
    shapes: list[tuple[int, ...]]


def check_images(images: Sequence[Tensor], spatial_dims: int, channels: int) -> list[tuple[int, ...]]:
    """Spatial shapes of images ``(C, *spatial)``.

    Raises:
        ValueError: no image, or one that has other axes or channels, no pixel, or values that are not floating point
            or not finite.
    """
    if len(images) == 0:
        raise ValueError("no images: the batch is empty")
    for i, image in enumerate(images):
        shape = tuple(image.shape)
        if image.dim() != spatial_dims + 1 or 0 in shape:
            raise ValueError(f"image {i} has shape {shape}: expected (channels, {spatial_dims} spatial axes)")
        if shape[0] != channels:
            raise ValueError(f"image {i} has {shape[0]} channels, the network takes {channels}: convert it first")
        if not image.is_floating_point():
            raise ValueError(f"image {i} is {image.dtype}, the network takes floating point: normalise it first")
        if not image.isfinite().all():
            raise ValueError(f"image {i} contains NaN or infinite values")
    return [tuple(image.shape[1:]) for image in images]


def batch_images(images: Sequence[Tensor], divisor: int) -> ImageBatch:
    """Put images ``(C, *spatial)`` at the origin of a zero tensor whose sides are multiples of ``divisor``.

    Args:
        images: at least one, all of the same axes and channels (:func:`check_images`).
        divisor: pixels.
    """
    shapes = [tuple(image.shape[1:]) for image in images]
    padded = [-(-max(sides) // divisor) * divisor for sides in zip(*shapes, strict=True)]
    tensor = images[0].new_zeros((len(images), len(images[0]), *padded))
    # convolutions are faster on it, and ROIAlign reads cells with their channels side by side
    tensor = tensor.to(memory_format=torch.channels_last if len(padded) == 2 else torch.channels_last_3d)
    for k, (image, shape) in enumerate(zip(images, shapes, strict=True)):
        tensor[(k, slice(None), *map(slice, shape))] = image  # torch refuses gradients through rows of an iteration
    return ImageBatch(tensor, shapes)
