"""Segmentation networks, 2D and 3D from one class each."""

from medseg.networks.batch_norm import BatchNorm
from medseg.networks.deeplabv3plus import DeepLabV3Plus
from medseg.networks.encoders import adapt_input_channels, load_encoder_weights, make_encoder
from medseg.networks.mask_rcnn import MaskRCNN, torchvision_mask_rcnn
from medseg.networks.nested_unet_checkpoint import convert_nested_unet
from medseg.networks.transfer_unet import TransferUNet
from medseg.networks.unet import UNet
from medseg.networks.unetplusplus import UNetPlusPlus
from medseg.networks.warm_start import WarmStart, warm_start

__all__ = [
    "BatchNorm",
    "DeepLabV3Plus",
    "MaskRCNN",
    "TransferUNet",
    "UNet",
    "UNetPlusPlus",
    "WarmStart",
    "adapt_input_channels",
    "convert_nested_unet",
    "load_encoder_weights",
    "make_encoder",
    "torchvision_mask_rcnn",
    "warm_start",
]
