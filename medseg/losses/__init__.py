"""Losses that MONAI does not have."""

from medseg.losses.bce_dice import BCEDiceLoss
from medseg.losses.pixel_weighted import PixelWeightedLoss

__all__ = ["BCEDiceLoss", "PixelWeightedLoss"]
