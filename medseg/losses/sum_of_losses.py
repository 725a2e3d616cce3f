"""One number out of the losses that a detector returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class SumOfLosses(nn.Module):
    """Weighted sum of a dictionary of losses, for networks that compute their own (:class:`medseg.networks.MaskRCNN`).

    Args:
        weights: factors by name; losses without one count as they are.

    Raises:
        ValueError: a weight for a loss that the network does not return.
    """

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.weights = dict(weights or {})

    def forward(self, losses: Mapping[str, Tensor], target: Any = None) -> Tensor:
        """Sum of ``losses``, scalars; ``target`` is not used, the network has seen it."""
        unknown = set(self.weights) - set(losses)
        if unknown:
            raise ValueError(f"weights for {sorted(unknown)}, but the network returns {sorted(losses)}")
        return torch.stack([value * self.weights.get(name, 1.0) for name, value in losses.items()]).sum()
