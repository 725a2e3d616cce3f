"""DeepLabV3+ with atrous backbones, 2D and 3D."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from medseg.networks.aspp import ASPP
from medseg.networks.conv_bn_relu import ConvBNReLU, SeparableConv
from medseg.networks.encoders.registry import make_encoder
from medseg.networks.he_init import he_normal_
from medseg.networks.image_axes import check_axes

BACKBONES = ("xception65", "mobilenet_v2", "resnet18", "resnet34", "resnet50", "resnet101")
_LOW_STRIDE, _LOW_WIDTH, _WIDTH = 4, 48, 256


class DeepLabV3Plus(nn.Module):
    """DeepLabV3+ (Chen et al., ECCV 2018, arXiv 1802.02611).

    The backbone's last map (stride 8 or 16, by the atrous rule) goes through ASPP and is resized to the stride-4
    map, which is first reduced to 48 channels; both are concatenated, two 3-wide convolutions follow, then a
    1-wide head whose logits are resized to the image. ``DeepLabV3Plus(2, 3, 21)`` has the paper's 41,055,413
    parameters. Any image size works, also with one image per batch (see :class:`medseg.networks.BatchNorm`).

    The paper trains with the "poly" learning rate, ``torch.optim.lr_scheduler.PolynomialLR(optimizer,
    total_iters, power=0.9)``, stepped after each iteration; its Xception expects images scaled to [-1, 1].

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: channels of the logits.
        backbone: one of ``xception65``, ``mobilenet_v2``, ``resnet18``, ``resnet34``, ``resnet50``, ``resnet101``;
            all but the first can start from ImageNet weights (:func:`load_encoder_weights` on ``encoder``).
        output_stride: 16, or 8 for finer maps at 3 to 4 times the cost.
        separable: depthwise separable 3-wide convolutions in ASPP and decoder, or plain ones.
        decoder_channels: width of each 3-wide convolution of the decoder.
        align_corners: of both resizings; the authors' code aligns, many ports do not.
        dropout: probability after ASPP.

    Attributes:
        encoder: the backbone.
        margin: 0. stride: ``output_stride``. valid_size: every size is valid.

    Shapes: ``(B, in_channels, *n)`` to ``(B, out_channels, *n)``, float.

    Raises:
        ValueError: another backbone, dimension or stride, no decoder, and in ``forward`` no batch axis.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        backbone: str = "xception65",
        output_stride: int = 16,
        separable: bool = True,
        decoder_channels: Sequence[int] = (_WIDTH, _WIDTH),
        align_corners: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if backbone not in BACKBONES:
            raise ValueError(f"no backbone {backbone!r}; there are {', '.join(BACKBONES)}")
        if output_stride not in (8, 16):
            raise ValueError(f"output_stride is 8 or 16, not {output_stride}")
        if not decoder_channels:
            raise ValueError("decoder_channels is empty: the decoder has at least one convolution")
        self.spatial_dims, self.in_channels, self.out_channels = spatial_dims, in_channels, out_channels
        self.margin, self.stride = 0, output_stride
        self.mode = "bilinear" if spatial_dims == 2 else "trilinear"
        self.align_corners = align_corners

        self.encoder = make_encoder(backbone, spatial_dims, in_channels, output_stride)
        self._low = self.encoder.strides.index(_LOW_STRIDE)
        self.low = ConvBNReLU(spatial_dims, self.encoder.channels[self._low], _LOW_WIDTH, 1)
        rates = [rate * 16 // output_stride for rate in (6, 12, 18)]
        self.aspp = ASPP(spatial_dims, self.encoder.channels[-1], _WIDTH, rates, separable, dropout)
        conv = SeparableConv if separable else ConvBNReLU
        widths = (_WIDTH + _LOW_WIDTH, *decoder_channels)
        self.decoder = nn.Sequential(*(conv(spatial_dims, i, o) for i, o in itertools.pairwise(widths)))
        self.head = Conv[Conv.CONV, spatial_dims](widths[-1], out_channels, 1)
        he_normal_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the image."""
        check_axes(x, self.spatial_dims)
        features = self.encoder(x)
        low = self.low(features[self._low])
        high = self._resize(self.aspp(features[-1]), low)
        logits = self.head(self.decoder(torch.cat([high, low], dim=1)))
        return self._resize(logits, x)

    @torch.jit.unused
    def valid_size(self, n: int) -> int:
        """The smallest input side of at least ``n`` pixels: ``n`` itself, and 1 at least."""
        return max(n, 1)

    def _resize(self, x: Tensor, like: Tensor) -> Tensor:
        return F.interpolate(x, size=like.shape[2:], mode=self.mode, align_corners=self.align_corners)
