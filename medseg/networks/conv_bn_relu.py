"""Convolution, batch normalisation, ReLU: plain and depthwise separable."""

from __future__ import annotations

import torch.nn.functional as F
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from medseg.networks.batch_norm import BatchNorm


class ConvBNReLU(nn.Sequential):
    """Convolution that keeps the size (at stride 1), batch normalisation, ReLU.

    Args:
        spatial_dims: 2 or 3.
        inside, outside: channels.
        kernel_size: odd.
        stride: of the convolution.
        rate: dilation ("atrous rate").
        eps: of the normalisation.
    """

    def __init__(
        self,
        spatial_dims: int,
        inside: int,
        outside: int,
        kernel_size: int = 3,
        stride: int = 1,
        rate: int = 1,
        eps: float = 1e-5,
    ) -> None:
        padding = rate * (kernel_size // 2)
        super().__init__(
            Conv[Conv.CONV, spatial_dims](
                inside, outside, kernel_size, stride=stride, padding=padding, dilation=rate, bias=False
            ),
            BatchNorm(outside, eps=eps),
            nn.ReLU(inplace=True),
        )


class SeparableConv(nn.Module):
    """Depthwise 3-wide convolution, then 1-wide across channels, each with batch normalisation.

    Two orders are in use (Chen et al., ECCV 2018): ReLU *after* each normalisation in ASPP, the decoder and the
    last block of Xception; one ReLU *before* the depthwise convolution in all other blocks of Xception.

    Args:
        spatial_dims: 2 or 3.
        inside, outside: channels.
        stride, rate: of the depthwise convolution.
        relu_first: the second order.
        eps: of the normalisations.
    """

    def __init__(
        self,
        spatial_dims: int,
        inside: int,
        outside: int,
        stride: int = 1,
        rate: int = 1,
        relu_first: bool = False,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.relu_first = relu_first
        self.depthwise = conv(inside, inside, 3, stride=stride, padding=rate, dilation=rate, groups=inside, bias=False)
        self.depthwise_bn = BatchNorm(inside, eps=eps)
        self.pointwise = conv(inside, outside, 1, bias=False)
        self.pointwise_bn = BatchNorm(outside, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size (at stride 1)."""
        if self.relu_first:
            x = F.relu(x)  # never in place: the block's shortcut reads x too
        x = self.depthwise_bn(self.depthwise(x))
        if not self.relu_first:
            x = F.relu(x)
        x = self.pointwise_bn(self.pointwise(x))
        if not self.relu_first:
            x = F.relu(x)
        return x
