"""MONAI transforms in array and dictionary form."""

from medseg.transforms.border_weights import BorderWeightMap, BorderWeightMapd, border_weight_map
from medseg.transforms.clahe import CLAHE, CLAHEd
from medseg.transforms.elastic import RandElasticDeformation, RandElasticDeformationd
from medseg.transforms.hu_window import HUWindow, HUWindowd
from medseg.transforms.percentile_normalize import PercentileNormalize, PercentileNormalized
from medseg.transforms.touching import SeparateTouching, SeparateTouchingd, separate_touching

__all__ = [
    "CLAHE",
    "BorderWeightMap",
    "BorderWeightMapd",
    "CLAHEd",
    "HUWindow",
    "HUWindowd",
    "PercentileNormalize",
    "PercentileNormalized",
    "RandElasticDeformation",
    "RandElasticDeformationd",
    "SeparateTouching",
    "SeparateTouchingd",
    "border_weight_map",
    "separate_touching",
]
