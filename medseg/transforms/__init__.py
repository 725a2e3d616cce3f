"""MONAI transforms in array and dictionary form."""

from medseg.transforms.border_weights import BorderWeightMap, BorderWeightMapd, border_weight_map
from medseg.transforms.channel_mix import RandChannelMix, RandChannelMixd
from medseg.transforms.channel_noise import RandChannelNoise, RandChannelNoised
from medseg.transforms.check_channels import CheckChannelsd
from medseg.transforms.check_classes import CheckClassesd
from medseg.transforms.check_hounsfield import CheckHounsfieldd
from medseg.transforms.check_patient_size import CheckPatientSized
from medseg.transforms.clahe import CLAHE, CLAHEd
from medseg.transforms.core_classes import CoreClassesd, core_classes
from medseg.transforms.core_instances import InstancesFromCore, InstancesFromCored
from medseg.transforms.detection_target import DetectionTarget, DetectionTargetd
from medseg.transforms.elastic import RandElasticDeformation, RandElasticDeformationd
from medseg.transforms.flip_sides import RandFlipSidesd
from medseg.transforms.foreground_and_cores import ForegroundAndCores, ForegroundAndCoresd
from medseg.transforms.hu_window import HUWindow, HUWindowd
from medseg.transforms.input_grid import LabelsOnInputGridd
from medseg.transforms.instances import InstancesFromProbability, InstancesFromProbabilityd
from medseg.transforms.interior import InteriorFromLabelsd
from medseg.transforms.labels_from_detections import LabelsFromDetectionsd
from medseg.transforms.load_section import LoadSectiond
from medseg.transforms.neighbouring_slices import NeighbouringSlicesd
from medseg.transforms.percentile_normalize import PercentileNormalize, PercentileNormalized
from medseg.transforms.scaled_crop import RandScaledCropd
from medseg.transforms.select_channel import SelectChanneld
from medseg.transforms.small_object_weights import SmallObjectWeightd, small_object_weights
from medseg.transforms.smooth_before_resampling import SmoothBeforeResamplingd
from medseg.transforms.to_rgb import ToRGB, ToRGBd
from medseg.transforms.touching import SeparateTouching, SeparateTouchingd, separate_touching

__all__ = [
    "CLAHE",
    "BorderWeightMap",
    "BorderWeightMapd",
    "CLAHEd",
    "CheckChannelsd",
    "CheckClassesd",
    "CheckHounsfieldd",
    "CheckPatientSized",
    "CoreClassesd",
    "DetectionTarget",
    "DetectionTargetd",
    "ForegroundAndCores",
    "ForegroundAndCoresd",
    "HUWindow",
    "HUWindowd",
    "InstancesFromCore",
    "InstancesFromCored",
    "InstancesFromProbability",
    "InstancesFromProbabilityd",
    "InteriorFromLabelsd",
    "LabelsFromDetectionsd",
    "LabelsOnInputGridd",
    "LoadSectiond",
    "NeighbouringSlicesd",
    "PercentileNormalize",
    "PercentileNormalized",
    "RandChannelMix",
    "RandChannelMixd",
    "RandChannelNoise",
    "RandChannelNoised",
    "RandElasticDeformation",
    "RandElasticDeformationd",
    "RandFlipSidesd",
    "RandScaledCropd",
    "SelectChanneld",
    "SeparateTouching",
    "SeparateTouchingd",
    "SmallObjectWeightd",
    "SmoothBeforeResamplingd",
    "ToRGB",
    "ToRGBd",
    "border_weight_map",
    "core_classes",
    "separate_touching",
    "small_object_weights",
]
