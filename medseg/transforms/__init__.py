"""MONAI transforms in array and dictionary form."""

from medseg.transforms.border_weights import BorderWeightMap, BorderWeightMapd, border_weight_map
from medseg.transforms.check_channels import CheckChannelsd
from medseg.transforms.check_hounsfield import CheckHounsfieldd
from medseg.transforms.clahe import CLAHE, CLAHEd
from medseg.transforms.elastic import RandElasticDeformation, RandElasticDeformationd
from medseg.transforms.flip_sides import RandFlipSidesd
from medseg.transforms.hu_window import HUWindow, HUWindowd
from medseg.transforms.input_grid import LabelsOnInputGridd
from medseg.transforms.instances import InstancesFromProbability, InstancesFromProbabilityd
from medseg.transforms.interior import InteriorFromLabelsd
from medseg.transforms.load_section import LoadSectiond
from medseg.transforms.neighbouring_slices import NeighbouringSlicesd
from medseg.transforms.percentile_normalize import PercentileNormalize, PercentileNormalized
from medseg.transforms.smooth_before_resampling import SmoothBeforeResamplingd
from medseg.transforms.touching import SeparateTouching, SeparateTouchingd, separate_touching

__all__ = [
    "CLAHE",
    "BorderWeightMap",
    "BorderWeightMapd",
    "CLAHEd",
    "CheckChannelsd",
    "CheckHounsfieldd",
    "HUWindow",
    "HUWindowd",
    "InstancesFromProbability",
    "InstancesFromProbabilityd",
    "InteriorFromLabelsd",
    "LabelsOnInputGridd",
    "LoadSectiond",
    "NeighbouringSlicesd",
    "PercentileNormalize",
    "PercentileNormalized",
    "RandElasticDeformation",
    "RandElasticDeformationd",
    "RandFlipSidesd",
    "SeparateTouching",
    "SeparateTouchingd",
    "SmoothBeforeResamplingd",
    "border_weight_map",
    "separate_touching",
]
