"""MONAI transforms in array and dictionary form."""

from medseg.transforms.elastic import RandElasticDeformation, RandElasticDeformationd
from medseg.transforms.percentile_normalize import PercentileNormalize, PercentileNormalized
from medseg.transforms.touching import separate_touching

__all__ = [
    "PercentileNormalize",
    "PercentileNormalized",
    "RandElasticDeformation",
    "RandElasticDeformationd",
    "separate_touching",
]
