"""Weights in fewer bytes, none of them lost."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def weights_on_disk(state: Mapping[str, torch.Tensor], dtype: torch.dtype | None) -> dict[str, torch.Tensor]:
    """A state dict with its floating tensors in another dtype, except those that would overflow there.

    The running variance of a batch normalisation can lie above 65,504, the largest number of half precision: as
    infinity it would silence its channel without any error. Such a tensor keeps its dtype.

    Args:
        state: of a network, on any device.
        dtype: floating dtype to store; None changes nothing.

    Returns:
        The tensors on the CPU, in the order given.
    """
    return {key: _in_dtype(value.detach().cpu(), dtype) for key, value in state.items()}


def _in_dtype(value: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    if dtype is None or not value.is_floating_point():
        return value
    smaller = value.to(dtype)
    return smaller if torch.equal(torch.isfinite(smaller), torch.isfinite(value)) else value
