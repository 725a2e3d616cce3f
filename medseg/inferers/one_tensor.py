"""What an inferer of pixel classes expects of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def one_tensor(output: Any, size: Sequence[int] | None = None, otherwise: str = "") -> Tensor:
    """The network's output, which must be one tensor.

    Args:
        output: what the network returned.
        size: that its last axes must have; None: any.
        otherwise: what to do if they have another one.

    Raises:
        ValueError: several tensors, as :class:`medseg.networks.UNetPlusPlus` returns in training mode; another size,
            whose pixels would end up in wrong places.
    """
    if not isinstance(output, Tensor):
        what = type(output).__name__
        raise ValueError(
            f"the network returned a {what}, not one tensor of logits: call its eval() first; of a network that always "
            "returns several, give a function that picks the logits, such as lambda x: network(x)[0]"
        )
    if size is not None and tuple(output.shape[-len(size) :]) != tuple(size):
        raise ValueError(
            f"the network returned {tuple(output.shape[-len(size) :])} pixels where {tuple(size)} belong: {otherwise}"
        )
    return output
