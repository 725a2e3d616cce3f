"""MONAI transforms in array and dictionary form."""

from medseg.transforms.check_channels import CheckChannelsd
from medseg.transforms.elastic import RandElasticDeformation, RandElasticDeformationd
from medseg.transforms.instances import InstancesFromProbability, InstancesFromProbabilityd
from medseg.transforms.interior import InteriorFromLabelsd
from medseg.transforms.load_section import LoadSectiond
from medseg.transforms.percentile_normalize import PercentileNormalize, PercentileNormalized
from medseg.transforms.touching import separate_touching

__all__ = [
    "CheckChannelsd",
    "InstancesFromProbability",
    "InstancesFromProbabilityd",
    "InteriorFromLabelsd",
    "LoadSectiond",
    "PercentileNormalize",
    "PercentileNormalized",
    "RandElasticDeformation",
    "RandElasticDeformationd",
    "separate_touching",
]
