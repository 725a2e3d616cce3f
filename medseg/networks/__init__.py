"""Segmentation networks, 2D and 3D from one class each."""

from medseg.networks.unet import UNet

__all__ = ["UNet"]
