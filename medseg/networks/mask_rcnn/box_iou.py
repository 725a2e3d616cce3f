"""Intersection over union of each box of one list with each of another."""

from __future__ import annotations

import torch
from torch import Tensor


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU matrix ``(N, M)`` of boxes ``(N, 2 d)`` and ``(M, 2 d)``, low corner first; 0 where both lack area.

    Works one axis at a time on N x M matrices. ``monai.data.box_utils.box_iou`` holds N x M x d of them, which
    for a thousand objects and the anchors of an image is gigabytes.
    """
    dims = first.shape[1] // 2
    inter = first.new_ones(())
    for axis in range(dims):
        low = torch.maximum(first[:, None, axis], second[:, axis])
        high = torch.minimum(first[:, None, dims + axis], second[:, dims + axis])
        inter = high.sub_(low).clamp_(min=0).mul_(inter)
    union = (box_volume(first)[:, None] + box_volume(second)).sub_(inter)
    # where the union has no volume the intersection has none
    return inter.div_(union.clamp_(min=torch.finfo(union.dtype).tiny))


def box_volume(boxes: Tensor) -> Tensor:
    """Area or volume of boxes ``(N, 2 d)``, ``(N,)``."""
    dims = boxes.shape[1] // 2
    return (boxes[:, dims:] - boxes[:, :dims]).prod(dim=1)
