"""MONAI transforms in array and dictionary form."""

from medseg.transforms.percentile_normalize import PercentileNormalize, PercentileNormalized

__all__ = ["PercentileNormalize", "PercentileNormalized"]
