"""Handlers that MONAI's trainers need for resumable, reproducible runs, and for pretrained encoders."""

from medseg.training.detection_batch import PrepareDetectionBatch
from medseg.training.epoch_seed import EpochSeed
from medseg.training.freeze import FreezeEncoder
from medseg.training.nan_guard import NanGuard
from medseg.training.parameter_groups import parameter_groups
from medseg.training.run_state import RunState
from medseg.training.weighted_batch import PrepareWeightedBatch

__all__ = [
    "EpochSeed",
    "FreezeEncoder",
    "NanGuard",
    "PrepareDetectionBatch",
    "PrepareWeightedBatch",
    "RunState",
    "parameter_groups",
]
