"""Proposals that train the second stage, and the two losses of the box head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from monai.apps.detection.utils.box_coder import BoxCoder
from torch import Tensor
from torch.nn.functional import cross_entropy, smooth_l1_loss

from medseg.networks.mask_rcnn.matcher import match_boxes
from medseg.networks.mask_rcnn.sampling import sample_balanced
from medseg.networks.mask_rcnn.settings import DetectionSettings
from medseg.networks.mask_rcnn.targets import Objects


class Samples(NamedTuple):
    """Sampled proposals of one image: ``boxes`` ``(S, 2 d)``, ``labels`` ``(S,)`` with 0 for background, and
    ``object_index`` ``(S,)``, meaningful where the label is not 0. Positives come first."""

    boxes: Tensor
    labels: Tensor
    object_index: Tensor

    @property
    def positives(self) -> int:
        """How many of the samples stand for an object."""
        return int((self.labels > 0).sum())


@torch.no_grad()
def sample_proposals(proposals: Tensor, objects: Objects, settings: DetectionSettings) -> Samples:
    """Match proposals ``(N, 2 d)`` and the objects' own boxes to the objects, and draw a balanced sample."""
    boxes = torch.cat([proposals, objects.boxes.to(proposals)])
    matches = match_boxes(objects.boxes.to(proposals), boxes, settings.positive_iou, settings.positive_iou)
    positive, negative = sample_balanced(matches >= 0, matches < 0, settings.sampled, settings.positive_fraction)
    labels = torch.zeros(len(positive) + len(negative), dtype=torch.int64, device=boxes.device)
    labels[: len(positive)] = objects.labels[matches[positive]]
    chosen = torch.cat([positive, negative])
    return Samples(boxes[chosen], labels, matches[chosen].clamp(min=0))


def box_losses(
    logits: Tensor, deltas: Tensor, samples: Sequence[Samples], objects: Sequence[Objects], coder: BoxCoder
) -> dict[str, Tensor]:
    """Mean cross-entropy of the classes; smooth L1 (beta 1/9) of positives' own class over the number sampled.

    Args:
        logits, deltas: ``(S, classes)`` and ``(S, 2 d * classes)`` of the samples of all images in turn.
    """
    labels = torch.cat([s.labels for s in samples])
    wanted = torch.cat(
        [
            coder.encode_single(o.boxes.to(s.boxes)[s.object_index[: s.positives]], s.boxes[: s.positives])
            for s, o in zip(samples, objects, strict=True)
        ]
    )
    positive = torch.nonzero(labels > 0).flatten()
    own_class = deltas.view(len(deltas), logits.shape[1], -1)[positive, labels[positive]]
    count = max(1, len(labels))
    return {
        "loss_classifier": cross_entropy(logits, labels, reduction="sum") / count,
        "loss_box_reg": smooth_l1_loss(own_class.to(wanted.dtype), wanted, beta=1 / 9, reduction="sum") / count,
    }
