"""From the box head's output to the detections of an image."""

from __future__ import annotations

import warnings

import torch
from monai.apps.detection.utils.box_coder import BoxCoder
from torch import Tensor

from medseg.errors import InputWarning
from medseg.networks.mask_rcnn.nms import batched_nms
from medseg.networks.mask_rcnn.proposals import clip_boxes, wide_enough
from medseg.networks.mask_rcnn.settings import DetectionSettings


@torch.no_grad()
def select_detections(
    logits: Tensor,
    deltas: Tensor,
    proposals: Tensor,
    shape: tuple[int, ...],
    coder: BoxCoder,
    settings: DetectionSettings,
) -> dict[str, Tensor]:
    """Best boxes of each class, suppressed class by class.

    Args:
        logits: ``(N, classes)``, the background first.
        deltas: ``(N, 2 d * classes)``.
        proposals: ``(N, 2 d)``.
        shape: spatial shape of the image.

    Returns:
        ``boxes`` ``(K, 2 d)`` float32, ``labels`` ``(K,)`` int64 and ``scores`` ``(K,)`` float32, best first.

    Warns:
        InputWarning: there were more than ``settings.per_image``.
    """
    classes = logits.shape[1]
    probability = logits.float().softmax(dim=1)[:, 1:].flatten()  # of bfloat16, scores would be few and often 1
    label = torch.arange(1, classes, device=logits.device).repeat(len(logits))
    passing = torch.nonzero(probability > settings.score_threshold).flatten()
    # decode what passes only: with many classes next to nothing does
    row = passing // (classes - 1)
    own_class = deltas.view(len(deltas), classes, -1)[row, label[passing]]
    boxes = clip_boxes(coder.decode_single(own_class.float(), proposals[row]), shape)
    wide = wide_enough(boxes, settings.min_side)
    boxes, scores, labels = boxes[wide], probability[passing][wide], label[passing][wide]
    kept = batched_nms(boxes, scores, labels, settings.nms_threshold)
    if len(kept) > settings.per_image:
        warnings.warn(
            f"{len(kept)} objects score above {settings.score_threshold} in one image or tile, the best "
            f"{settings.per_image} are kept: raise per_image of DetectionSettings, or take smaller tiles",
            InputWarning,
            stacklevel=2,
        )
        kept = kept[: settings.per_image]
    return {"boxes": boxes[kept], "labels": labels[kept], "scores": scores[kept]}
