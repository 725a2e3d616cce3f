"""Losses that MONAI does not have."""

from medseg.losses.bce_dice import BCEDiceLoss
from medseg.losses.pixel_weighted import PixelWeightedLoss
from medseg.losses.sum_of_losses import SumOfLosses

__all__ = ["BCEDiceLoss", "PixelWeightedLoss", "SumOfLosses"]
