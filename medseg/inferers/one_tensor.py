"""What an inferer of pixel classes expects of a network."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def one_tensor(output: Any) -> Tensor:
    """The network's output, which must be one tensor.

    Raises:
        ValueError: several tensors, as :class:`medseg.networks.UNetPlusPlus` returns in training mode.
    """
    if not isinstance(output, Tensor):
        what = type(output).__name__
        raise ValueError(f"the network returned a {what}, not one tensor of logits: call its eval() first")
    return output
