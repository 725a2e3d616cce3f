"""Mask R-CNN in 2D and 3D, without compiled extras."""

from medseg.networks.mask_rcnn.backbone import EncoderFPN
from medseg.networks.mask_rcnn.initial_weights import load_initial_weights
from medseg.networks.mask_rcnn.mask_rcnn import MaskRCNN
from medseg.networks.mask_rcnn.nms import batched_nms, nms
from medseg.networks.mask_rcnn.paste import crop_masks, label_image, paste_masks
from medseg.networks.mask_rcnn.resize import ResizeByFactor, ResizeShortSide
from medseg.networks.mask_rcnn.roi_align import roi_align
from medseg.networks.mask_rcnn.settings import DetectionSettings, PoolingSettings, ProposalSettings
from medseg.networks.mask_rcnn.torchvision_net import torchvision_mask_rcnn

__all__ = [
    "DetectionSettings",
    "EncoderFPN",
    "MaskRCNN",
    "PoolingSettings",
    "ProposalSettings",
    "ResizeByFactor",
    "ResizeShortSide",
    "batched_nms",
    "crop_masks",
    "label_image",
    "load_initial_weights",
    "nms",
    "paste_masks",
    "roi_align",
    "torchvision_mask_rcnn",
]
