"""Handlers that MONAI's trainers need for resumable, reproducible runs."""

from medseg.training.epoch_seed import EpochSeed
from medseg.training.run_state import RunState

__all__ = ["EpochSeed", "RunState"]
