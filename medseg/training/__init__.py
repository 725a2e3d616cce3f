"""What MONAI's trainers need for resumable, reproducible runs, pretrained encoders and rare kinds of images."""

from medseg.training.balanced_weights import balanced_weights
from medseg.training.detection_batch import PrepareDetectionBatch
from medseg.training.epoch_seed import EpochSeed
from medseg.training.epoch_validation import EpochValidation
from medseg.training.freeze import FreezeEncoder
from medseg.training.layout import training_layout
from medseg.training.nan_guard import NanGuard
from medseg.training.one_cycle import OneCycle
from medseg.training.parameter_groups import parameter_groups
from medseg.training.run_state import RunState
from medseg.training.weighted_batch import PrepareWeightedBatch

__all__ = [
    "EpochSeed",
    "EpochValidation",
    "FreezeEncoder",
    "NanGuard",
    "OneCycle",
    "PrepareDetectionBatch",
    "PrepareWeightedBatch",
    "RunState",
    "balanced_weights",
    "parameter_groups",
    "training_layout",
]
