"""Random weights to start from (He et al., ICCV 2015)."""

from __future__ import annotations

import math

from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd


def he_normal_(network: nn.Module) -> None:
    """Fill all convolutions in place: Gaussian of standard deviation sqrt(2 / N), N incoming nodes; zero bias.

    Unlike PyTorch's fan-out this counts the inputs of *one group*, so depthwise convolutions keep the variance.
    A transposed convolution whose stride equals its kernel feeds each output node once per input channel.
    """
    for module in network.modules():
        if not isinstance(module, _ConvNd):
            continue
        incoming = module.in_channels // module.groups
        if not (isinstance(module, _ConvTransposeNd) and module.stride == module.kernel_size):
            incoming *= math.prod(module.kernel_size)
        nn.init.normal_(module.weight, std=math.sqrt(2 / incoming))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
