"""From a mask in the frame of its box to pixels of the image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor


def crop_masks(
    box_masks: Tensor, boxes: Tensor, shape: Sequence[int], aligned: bool = True
) -> Iterator[tuple[tuple[slice, ...], Tensor]]:
    """Where each object lies in the image and its foreground probability there.

    The mask is interpolated linearly between the centres of its bins; the object has the pixels whose centres
    lie in the box. Memory is that of the objects, not of objects times image.

    Args:
        box_masks: ``(N, *bins)`` probabilities.
        boxes: ``(N, 2 d)`` in pixels.
        shape: spatial shape of the image.
        aligned: False repeats torchvision's pasting: a rim of zeros, corners truncated, last pixel included.

    Yields:
        Slices into the image, and a float tensor of that shape (perhaps empty), object by object.
    """
    dims = len(shape)
    for mask, box in zip(box_masks, boxes.tolist(), strict=True):
        window = []
        crop = mask if aligned else torch.nn.functional.pad(mask, (1, 1) * dims)
        for axis in range(dims):
            rule = _exact if aligned else _truncated
            start, place = rule(box[axis], box[dims + axis], mask.shape[axis], shape[axis])
            window.append(slice(start, start + len(place)))
            # contracts the first axis and puts the new one last, so that d rounds restore the order
            with torch.autocast(mask.device.type, enabled=False):  # outlines are no matter of half precision
                crop = torch.tensordot(crop, _interpolation(place, crop.shape[0], mask), dims=([0], [1]))
        yield tuple(window), crop


def paste_masks(box_masks: Tensor, boxes: Tensor, shape: Sequence[int], aligned: bool = True) -> Tensor:
    """Foreground probability of each object over the whole image, ``(N, *shape)``: for few objects only."""
    pasted = box_masks.new_zeros((len(box_masks), *shape))
    for k, (window, crop) in enumerate(crop_masks(box_masks, boxes, shape, aligned)):
        pasted[(k, *window)] = crop
    return pasted


def label_image(
    detections: Mapping[str, Tensor], shape: Sequence[int], threshold: float = 0.5, aligned: bool = True
) -> Tensor:
    """Label image in which the object of row i is ``i + 1``; a pixel of several goes to the best-scored one.

    Args:
        detections: ``boxes`` ``(N, 2 d)``, ``scores`` ``(N,)`` and ``box_masks`` ``(N, *bins)``.
        shape: spatial shape of the image.
        threshold: an object has the pixels whose probability is above.
        aligned: see :func:`crop_masks`.

    Returns:
        ``(*shape)`` int32 on the CPU. An object wholly below others has no pixel, its number stays unused.

    Raises:
        ValueError: detections without masks.
    """
    if "box_masks" not in detections:
        raise ValueError("the detections have no box_masks: a network with mask_head=None finds boxes only")
    labels = torch.zeros(tuple(shape), dtype=torch.int32)
    worst_first = torch.argsort(detections["scores"], stable=True, descending=True).flip(0).cpu()
    masks, boxes = detections["box_masks"].cpu()[worst_first], detections["boxes"].cpu()[worst_first]
    for row, (window, crop) in zip(worst_first.tolist(), crop_masks(masks, boxes, shape, aligned), strict=True):
        labels[window][crop > threshold] = row + 1
    return labels


def _exact(low: float, high: float, bins: int, length: int) -> tuple[int, Tensor]:
    """First pixel of an interval in the image, and for each pixel the place of its centre among the bins."""
    start = max(0, math.ceil(low - 0.5))
    stop = min(length, math.ceil(high - 0.5))
    centre = torch.arange(start, max(start, stop), dtype=torch.float64) + 0.5
    return start, (centre - low) * bins / (high - low) - 0.5


def _truncated(low: float, high: float, bins: int, length: int) -> tuple[int, Tensor]:
    """As :func:`_exact` for bins padded by one on each side, in torchvision's pixels."""
    half = (high - low) / 2 * (bins + 2) / bins
    first, last = int((low + high) / 2 - half), int((low + high) / 2 + half)  # int() rounds towards zero
    width = last - first + 1
    start, stop = max(0, first), min(length, first + width)
    pixel = torch.arange(start, max(start, stop), dtype=torch.float64)
    return start, (pixel - first + 0.5) * (bins + 2) / width - 0.5


def _interpolation(place: Tensor, length: int, like: Tensor) -> Tensor:
    """Matrix ``(len(place), length)`` that interpolates linearly at the given places, the rim repeated outside."""
    grid = torch.arange(length, dtype=place.dtype)
    return (1 - (place.clamp(0, length - 1)[:, None] - grid).abs()).clamp(min=0).to(like)
