"""Handlers that MONAI's trainers need for resumable, reproducible runs, and for pretrained encoders."""

from medseg.training.epoch_seed import EpochSeed
from medseg.training.freeze import FreezeEncoder
from medseg.training.parameter_groups import parameter_groups
from medseg.training.run_state import RunState

__all__ = ["EpochSeed", "FreezeEncoder", "RunState", "parameter_groups"]
