"""Non-maximum suppression of boxes held in tensors, over all boxes or within groups."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from medseg.kernels.nms import greedy_nms


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Indices of the boxes that no better-scored kept box covers with an IoU above the threshold.

    Args:
        boxes: ``(N, 2 d)`` float, d = 2 or 3: the low corner, then the high one.
        scores: ``(N,)`` float; of equal scores the earlier box wins.
        threshold: a box is dropped when its IoU is strictly above, 0 to 1.

    Returns:
        ``(K,)`` int64 on the boxes' device, best score first.

    The work is done on the CPU wherever the boxes are, a few milliseconds for thousands of boxes; boxes on a GPU
    cost one copy there and back.

    Raises:
        ValueError: shapes that do not fit, values that are not finite, a low corner above the high one, a
            threshold outside 0 to 1.
    """
    return batched_nms(boxes, scores, None, threshold)


def batched_nms(boxes: Tensor, scores: Tensor, groups: Tensor | None, threshold: float) -> Tensor:
    """As :func:`nms`, but boxes of different groups (classes, levels) do not suppress each other.

    Args:
        boxes, scores, threshold: as in :func:`nms`.
        groups: ``(N,)`` integer, or None for one group.
    """
    if boxes.dim() != 2 or boxes.shape[1] not in (4, 6) or scores.shape != boxes.shape[:1]:
        raise ValueError(f"boxes (N, 4 or 6) and scores (N,), not {tuple(boxes.shape)} and {tuple(scores.shape)}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"an IoU threshold lies between 0 and 1, not {threshold}")
    if groups is not None and groups.shape != scores.shape:
        raise ValueError(f"groups of shape {tuple(groups.shape)} for {len(scores)} boxes")
    corners = boxes.detach().double().cpu().numpy()
    dims = corners.shape[1] // 2
    if not (np.isfinite(corners).all() and (corners[:, :dims] <= corners[:, dims:]).all()):
        raise ValueError("boxes must be finite with their low corner first")
    if scores.isnan().any():
        raise ValueError("scores contain NaN")
    order = torch.argsort(scores.detach(), descending=True, stable=True).cpu()
    members = np.zeros(len(corners), np.int64) if groups is None else groups.cpu().numpy().astype(np.int64)
    kept = greedy_nms(np.ascontiguousarray(corners), order.numpy(), members, float(threshold))
    return order[torch.from_numpy(kept)[order]].to(boxes.device)
