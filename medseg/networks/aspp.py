"""Atrous spatial pyramid pooling."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Pool
from torch import Tensor, nn

from medseg.networks.conv_bn_relu import ConvBNReLU, SeparableConv


class ASPP(nn.Module):
    """Looks at each place with several fields of view at once (Chen et al., arXiv 1706.05587, fig. 5).

    Branches, each of ``outside`` channels and concatenated in this order: the image's mean through a 1-wide
    convolution, a 1-wide convolution, 3-wide atrous convolutions of each rate; then a 1-wide convolution and
    dropout.

    Args:
        spatial_dims: 2 or 3.
        inside, outside: channels.
        rates: of the atrous convolutions: 6, 12, 18 at output stride 16, twice that at 8.
        separable: depthwise separable atrous convolutions (DeepLabV3+), or plain ones (DeepLabV3).
        dropout: probability at the end.

    Shapes: ``(B, inside, *n)`` to ``(B, outside, *n)``.
    """

    def __init__(
        self,
        spatial_dims: int,
        inside: int,
        outside: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        separable: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.mean = Pool[Pool.ADAPTIVEAVG, spatial_dims](1)
        self.image = ConvBNReLU(spatial_dims, inside, outside, 1)
        self.branches = nn.ModuleList([ConvBNReLU(spatial_dims, inside, outside, 1)])
        for rate in rates:
            if separable:
                self.branches.append(SeparableConv(spatial_dims, inside, outside, rate=rate))
            else:
                self.branches.append(ConvBNReLU(spatial_dims, inside, outside, rate=rate))
        self.project = ConvBNReLU(spatial_dims, (2 + len(rates)) * outside, outside, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size."""
        image = self.image(self.mean(x))
        shape = list(x.shape)
        shape[1] = image.shape[1]
        found = [image.expand(shape)]
        for branch in self.branches:
            found.append(branch(x))
        return self.dropout(self.project(torch.cat(found, dim=1)))
