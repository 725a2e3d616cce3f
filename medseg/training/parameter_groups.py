"""Optimiser groups that let a pretrained encoder learn more slowly."""

from __future__ import annotations

from typing import Any

from torch import nn


def parameter_groups(network: nn.Module, learning_rate: float, encoder_lr_scale: float = 0.1) -> list[dict[str, Any]]:
    """Two groups for any ``torch.optim`` optimiser: the rest of the network, and its encoder.

    Schedulers that multiply (``PolynomialLR``, ``CosineAnnealingLR``, ``LambdaLR`` ...) keep the ratio.
    ``OneCycle`` sets rates anew: give it ``max_lr=[group["lr"] for group in optimizer.param_groups]``.

    Args:
        network: has an attribute ``encoder``.
        learning_rate: of the rest.
        encoder_lr_scale: factor of the encoder's rate; 1 trains all alike.

    Raises:
        ValueError: a network without encoder, a factor that is not positive (to keep the encoder as it is, freeze
            it: :class:`medseg.training.FreezeEncoder`).
    """
    if encoder_lr_scale <= 0:
        raise ValueError(f"encoder_lr_scale {encoder_lr_scale} must be positive; FreezeEncoder keeps the encoder as is")
    encoder = encoder_of(network)
    inside = {id(p) for p in encoder.parameters()}
    return [
        {"params": [p for p in network.parameters() if id(p) not in inside], "lr": learning_rate},
        {"params": list(encoder.parameters()), "lr": learning_rate * encoder_lr_scale},
    ]


def encoder_of(network: nn.Module) -> nn.Module:
    """The pretrained part of a network, also inside (Distributed)DataParallel.

    Raises:
        ValueError: there is none.
    """
    unwrapped = getattr(network, "module", network)
    encoder = getattr(unwrapped, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise ValueError(f"{type(unwrapped).__name__} has no encoder (see medseg.networks.TransferUNet)")
    return encoder
