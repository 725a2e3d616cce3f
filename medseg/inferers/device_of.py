"""Where a network runs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def device_of(network: Any, images: Tensor, given: torch.device | str | None = None) -> torch.device:
    """The device given, else that of the network's parameters; where it has none, that of the images."""
    if given is not None:
        return torch.device(given)
    parameter = next(network.parameters(), None) if isinstance(network, nn.Module) else None
    return images.device if parameter is None else parameter.device
