"""Seed every epoch by its number, so that a resumed run continues as the unbroken one."""

from __future__ import annotations

import random
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events

_RANK_STEP = 1_000_003  # processes of one run draw different crops


class EpochSeed:
    """Handler that seeds torch, numpy, random and the dataset's random transforms at the start of each epoch.

    Args:
        seed: of the run; epoch ``e`` uses ``seed + e``.
        dataset: its ``transform`` (MONAI ``Compose``) is seeded too, which matters without loader workers. Workers are
            seeded when they start, so let none outlive the epoch (``persistent_workers=False``, the default).
    """

    def __init__(self, seed: int, dataset: Any = None) -> None:
        self.seed, self.dataset = seed, dataset

    def attach(self, engine: Engine) -> None:
        """Register with the trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Seed for the epoch that starts."""
        seed = (self.seed + engine.state.epoch + _RANK_STEP * idist.get_rank()) % 2**32
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (third-party transforms draw from it)
        torch.manual_seed(seed)
        transform = getattr(self.dataset, "transform", None)
        if hasattr(transform, "set_random_state"):
            transform.set_random_state(seed=seed)
