"""Segmentation networks, 2D and 3D from one class each."""

from medseg.networks.nested_unet_checkpoint import convert_nested_unet
from medseg.networks.unet import UNet
from medseg.networks.unetplusplus import UNetPlusPlus

__all__ = ["UNet", "UNetPlusPlus", "convert_nested_unet"]
