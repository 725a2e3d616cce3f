"""Losses that MONAI does not have."""

from medseg.losses.pixel_weighted import PixelWeightedLoss

__all__ = ["PixelWeightedLoss"]
