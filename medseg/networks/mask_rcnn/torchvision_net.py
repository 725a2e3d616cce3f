"""Mask R-CNN with every setting of torchvision's, for its checkpoints."""

from __future__ import annotations

from typing import Any

from medseg.networks.mask_rcnn.backbone import EncoderFPN
from medseg.networks.mask_rcnn.mask_rcnn import MaskRCNN
from medseg.networks.mask_rcnn.resize import ResizeShortSide
from medseg.networks.mask_rcnn.settings import DetectionSettings, ProposalSettings


def torchvision_mask_rcnn(
    backbone: str = "resnet50",
    num_classes: int = 91,
    min_size: int = 800,
    max_size: int = 1333,
    norm: str = "frozen",
    **changes: Any,
) -> MaskRCNN:
    """The network that torchvision's ``maskrcnn_resnet50_fpn`` weights were trained with; 2D RGB images from 0 to 1.

    >>> network = torchvision_mask_rcnn()
    >>> network.load_torchvision(torch.load("maskrcnn_resnet50_fpn_coco.pth"))  # doctest: +SKIP

    Args:
        backbone: ``"resnet18"`` to ``"resnet101"``.
        num_classes: classes, the background among them.
        min_size, max_size: images are resized to a short side of ``min_size``, see :class:`ResizeShortSide`.
        norm: ``"frozen"`` statistics, or ``"batch"`` to train them, which takes large batches.
        changes: other arguments of :class:`MaskRCNN`.
    """
    options: dict[str, Any] = {
        "anchor_sizes": (32, 64, 128, 256, 512),
        "proposals": ProposalSettings(per_level=1000, per_image=1000),
        "detections": DetectionSettings(per_image=100),
        "preprocess": ResizeShortSide(min_size, max_size, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "torchvision_conventions": True,
    }
    return MaskRCNN(2, 3, num_classes, EncoderFPN(2, 3, backbone, norm), **options | changes)
