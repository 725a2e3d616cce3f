"""Handlers that MONAI's trainers need for resumable, reproducible runs."""

from medseg.training.epoch_seed import EpochSeed
from medseg.training.nan_guard import NanGuard
from medseg.training.run_state import RunState
from medseg.training.weighted_batch import PrepareWeightedBatch

__all__ = ["EpochSeed", "NanGuard", "PrepareWeightedBatch", "RunState"]
