"""Numbers that steer proposals, pooling and detections, with defaults for images of a thousand cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProposalSettings:
    """Of the region proposal network.

    Args:
        per_level, per_level_training: best anchors of each pyramid level that go on.
        per_image, per_image_training: proposals kept after suppression.
        nms_threshold: IoU above which the worse of two proposals of one level goes.
        min_side: shorter proposals go, pixels.
        positive_iou, negative_iou: an anchor stands for an object from / for background below.
        sampled, positive_fraction: anchors per image in the loss, and how many of them may be positive.
    """

    per_level: int = 3000
    per_level_training: int = 2000
    per_image: int = 3000
    per_image_training: int = 2000
    nms_threshold: float = 0.7
    min_side: float = 1e-3
    positive_iou: float = 0.7
    negative_iou: float = 0.3
    sampled: int = 256
    positive_fraction: float = 0.5


@dataclass(frozen=True)
class DetectionSettings:
    """Of the second stage.

    Args:
        per_image: most detections of an image.
        score_threshold: a detection scores above.
        nms_threshold: IoU of boxes above which the worse of two detections of one class goes.
        min_side: shorter boxes go, pixels.
        positive_iou: a proposal stands for an object from this IoU on.
        sampled, positive_fraction: proposals per image in the loss, and how many of them may be positive.
    """

    per_image: int = 2000
    score_threshold: float = 0.05
    nms_threshold: float = 0.5
    min_side: float = 1e-2
    positive_iou: float = 0.5
    sampled: int = 512
    positive_fraction: float = 0.25


@dataclass(frozen=True)
class PoolingSettings:
    """Of ROIAlign and the heads behind it.

    Args:
        box_size, mask_size: bins along each axis for the box head and the mask head, whose masks are twice as wide.
        sampling_ratio: sampling points per bin and axis, 0 for as many as the bin has cells.
        interpolation: ``"linear"`` or ``"nearest"``, see :func:`medseg.networks.mask_rcnn.roi_align`.
        canonical_size: side in pixels of the boxes pooled at stride 16.
        hidden: width of the box head's two layers.
    """

    box_size: int = 7
    mask_size: int = 14
    sampling_ratio: int = 2
    interpolation: str = "linear"
    canonical_size: float = 224.0
    hidden: int = 1024
