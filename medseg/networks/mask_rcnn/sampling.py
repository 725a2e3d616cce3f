"""A balanced random choice of the boxes that enter a loss."""

from __future__ import annotations

import torch
from torch import Tensor


def sample_balanced(positive: Tensor, negative: Tensor, number: int, positive_fraction: float) -> tuple[Tensor, Tensor]:
    """Draw at most ``number`` boxes, at most ``positive_fraction`` of them positive, the rest negative.

    MONAI's ``HardNegativeSampler`` ties the number of negatives to that of positives, so that an image without
    objects would give next to none; here negatives always fill up the number.

    Args:
        positive, negative: ``(N,)`` bool.

    Returns:
        Indices of the drawn positives and negatives, ascending, drawn by torch's global generator.
    """
    positives, negatives = torch.nonzero(positive).flatten(), torch.nonzero(negative).flatten()
    wanted = min(len(positives), int(number * positive_fraction))
    return _draw(positives, wanted), _draw(negatives, min(len(negatives), number - wanted))


def _draw(indices: Tensor, number: int) -> Tensor:
    if number == len(indices):
        return indices
    return indices[torch.randperm(len(indices), device=indices.device)[:number].sort().values]
