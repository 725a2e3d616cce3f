"""Which object an anchor or a proposal stands for, decided by overlap."""

from __future__ import annotations

import torch
from torch import Tensor

from medseg.networks.mask_rcnn.box_iou import box_iou

BACKGROUND = -1
IGNORED = -2
_MOST_PAIRS = 2**25  # IoU values held at once


def match_iou(iou: Tensor, high: float, low: float, low_quality: bool = False) -> Tensor:
    """Index of the object each box stands for.

    Args:
        iou: ``(objects, boxes)`` intersection over union.
        high: from this IoU on a box stands for the object it overlaps most.
        low: below this IoU a box is background; between the two it is ignored.
        low_quality: an object's best boxes, ties included, are matched however small the overlap, and stand for
            the object they themselves overlap most. An object that no box overlaps has none.

    Returns:
        ``(boxes,)`` int64: an object, ``BACKGROUND`` (-1) or ``IGNORED`` (-2).

    Source: Ren et al., Faster R-CNN, NIPS 2015, section 3.1.2.
    """
    if len(iou) == 0:
        return torch.full((iou.shape[1],), BACKGROUND, device=iou.device)
    matches = _by_thresholds(*iou.max(dim=0), high, low)
    if low_quality:
        is_best = _reaches(iou, iou.amax(dim=1))
        matches = torch.where(is_best, iou.argmax(dim=0), matches)
    return matches


def match_boxes(objects: Tensor, boxes: Tensor, high: float, low: float, low_quality: bool = False) -> Tensor:
    """As :func:`match_iou` for boxes ``(G, 2 d)`` and ``(N, 2 d)``, without ever holding the whole IoU matrix."""
    if len(objects) * len(boxes) <= _MOST_PAIRS:
        return match_iou(box_iou(objects, boxes), high, low, low_quality)
    parts = boxes.split(max(1, _MOST_PAIRS // len(objects)))
    found = [box_iou(objects, part).max(dim=0) for part in parts]
    value, nearest = (torch.cat(both) for both in zip(*found, strict=True))
    matches = _by_thresholds(value, nearest, high, low)
    if low_quality:
        best = torch.stack([box_iou(objects, part).amax(dim=1) for part in parts]).amax(dim=0)
        is_best = torch.cat([_reaches(box_iou(objects, part), best) for part in parts])
        matches = torch.where(is_best, nearest, matches)
    return matches


def _by_thresholds(value: Tensor, nearest: Tensor, high: float, low: float) -> Tensor:
    ignored = torch.where(value < low, BACKGROUND, IGNORED)
    return torch.where(value >= high, nearest, ignored)


def _reaches(iou: Tensor, best: Tensor) -> Tensor:
    """Which boxes ``(boxes,)`` overlap some object as much as its best one does; with none at all it has no best."""
    return ((iou == best[:, None]) & (iou > 0)).any(dim=0)
