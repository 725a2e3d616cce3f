"""Counting that the tests of several networks share."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd


@pytest.fixture(scope="session")
def count_parameters() -> Callable[[nn.Module], int]:
    return lambda network: sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="session")
def count_macs() -> Callable[..., int]:
    """Multiply-adds of the convolutions for a zero image of a shape; the network may lie on the meta device."""

    def count(network: nn.Module, *shape: int) -> int:
        total = 0

        def add(conv: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
            nonlocal total
            pixels = inputs[0] if isinstance(conv, _ConvTransposeNd) else output
            total += pixels[0, 0].numel() * conv.weight.numel()

        hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, _ConvNd)]
        network.eval()(torch.zeros(shape, device=next(network.parameters()).device))
        for hook in hooks:
            hook.remove()
        return total

    return count
