"""From scored anchors to proposals."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.detection.utils.box_coder import BoxCoder
from torch import Tensor

from medseg.networks.mask_rcnn.nms import batched_nms
from medseg.networks.mask_rcnn.settings import ProposalSettings


@torch.no_grad()
def select_proposals(
    logits: Sequence[Tensor],
    deltas: Sequence[Tensor],
    anchors: Sequence[Tensor],
    shapes: Sequence[tuple[int, ...]],
    coder: BoxCoder,
    settings: ProposalSettings,
    training: bool,
) -> list[Tensor]:
    """The best refined anchors of each image, suppressed level by level.

    Args:
        logits, deltas: per level ``(B, anchors)`` and ``(B, anchors, 2 d)``.
        anchors: per level ``(anchors, 2 d)``.
        shapes: spatial shape of each image, to which the boxes are clipped.
        training: take the training numbers of the settings.

    Returns:
        Per image ``(N_i, 2 d)`` float32, best first.
    """
    per_level = settings.per_level_training if training else settings.per_level
    per_image = settings.per_image_training if training else settings.per_image
    proposals = []
    for image, shape in enumerate(shapes):
        boxes, scores, levels = [], [], []
        for level, (logit, delta, anchor) in enumerate(zip(logits, deltas, anchors, strict=True)):
            best = logit[image].topk(min(per_level, logit.shape[1])).indices
            boxes.append(coder.decode_single(delta[image, best].float(), anchor[best]))
            scores.append(logit[image, best])
            levels.append(torch.full_like(best, level))
        box = clip_boxes(torch.cat(boxes), shape)
        score, level = torch.cat(scores), torch.cat(levels)
        wide = wide_enough(box, settings.min_side)
        box, score, level = box[wide], score[wide], level[wide]
        proposals.append(box[batched_nms(box, score, level, settings.nms_threshold)[:per_image]])
    return proposals


def clip_boxes(boxes: Tensor, shape: Sequence[int]) -> Tensor:
    """Boxes ``(..., 2 d)`` cut to an image of the given spatial shape."""
    limit = torch.tensor((*shape, *shape), dtype=boxes.dtype, device=boxes.device)
    return torch.minimum(boxes.clamp(min=0), limit)


def wide_enough(boxes: Tensor, min_side: float) -> Tensor:
    """Which boxes ``(N, 2 d)`` have all sides of at least ``min_side``."""
    dims = boxes.shape[1] // 2
    return (boxes[:, dims:] - boxes[:, :dims] >= min_side).all(dim=1)
