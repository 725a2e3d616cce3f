"""A learning rate that rises and falls over the whole run, however short it is."""

from __future__ import annotations

from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

_SHORTEST_CYCLE = 3  # steps: one below the peak, the peak, the end


class OneCycle(OneCycleLR):
    """``OneCycleLR`` for one step per epoch that trains in a run of any length.

    torch's own divides by zero where the rise takes exactly one step and starts behind the peak where it takes less
    (10 epochs, or fewer, of which a tenth rise). Here the peak comes in the second step at the earliest; a run of one
    or two epochs has no room for a cycle and keeps ``max_lr``. Other runs are torch's.

    Args:
        optimizer: with momentum or betas, which are cycled too.
        max_lr: of the peak, one number or one per parameter group.
        total_steps: epochs of the run, at least 1.
        pct_start: part of the run, 0 to 1, in which the rate rises.
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | Sequence[float], total_steps: int, pct_start: float = 0.3
    ) -> None:
        if total_steps < _SHORTEST_CYCLE:
            super().__init__(optimizer, max_lr, total_steps, pct_start=0.0, div_factor=1.0, final_div_factor=1.0)
        else:
            super().__init__(optimizer, max_lr, total_steps, pct_start=max(pct_start, 2 / total_steps))
