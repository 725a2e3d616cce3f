"""U-Net whose contracting path is a classification network, to start from its ImageNet weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from medseg.networks.conv_bn_relu import ConvBNReLU
from medseg.networks.encoders.registry import make_encoder
from medseg.networks.encoders.vgg import VGGEncoder
from medseg.networks.he_init import he_normal_
from medseg.networks.image_axes import check_axes

ENCODERS = ("vgg16", "vgg16_bn", "resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2")


class TransferUNet(nn.Module):
    """U-Net decoder on an encoder with torchvision's keys (as TernausNet, Iglovikov and Shvets, arXiv 1801.05746).

    Five 2-wide transposed convolutions lead up from stride 32. Each is followed by the encoder's map of that
    stride (ResNet and MobileNetV2 have none at stride 1), concatenated in front, and two 3-wide convolutions with
    batch normalisation and ReLU. VGG ends in a pooling, so two such convolutions at the bottom follow it.

    Weights start random; :func:`medseg.networks.load_encoder_weights` fills ``encoder``,
    :func:`medseg.networks.warm_start` whatever fits. :func:`medseg.training.parameter_groups` and
    :class:`medseg.training.FreezeEncoder` train it gently.

    Args:
        encoder: one of ``vgg16``, ``vgg16_bn``, ``resnet18``, ``resnet34``, ``resnet50``, ``resnet101``,
            ``mobilenet_v2``.
        in_channels: channels of the image.
        out_channels: channels of the logits.
        decoder_channels: widths at strides 16, 8, 4, 2 and 1.
        spatial_dims: 2, or 3 (for which no ImageNet weights exist).

    Attributes:
        encoder: the contracting path.
        spatial_dims, in_channels, out_channels: as given.
        margin: 0, the output has the size of the input.
        stride: 32, of which both sides of an image must be multiples (:meth:`valid_size`).

    Shapes: ``(B, in_channels, *n)`` to ``(B, out_channels, *n)``, float.

    Raises:
        ValueError: another encoder or dimension, not five widths, and in ``forward`` a side that is no multiple
            of ``stride``, or no batch axis.
    """

    def __init__(
        self,
        encoder: str = "vgg16",
        in_channels: int = 3,
        out_channels: int = 1,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 16),
        spatial_dims: int = 2,
    ) -> None:
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(f"no encoder {encoder!r} for a U-Net; there are {', '.join(ENCODERS)}")
        if len(decoder_channels) != 5:
            raise ValueError(f"decoder_channels {tuple(decoder_channels)}: one width for each of the strides 16 to 1")
        self.spatial_dims, self.in_channels, self.out_channels = spatial_dims, in_channels, out_channels
        self.margin, self.stride = 0, 32
        self.encoder = make_encoder(encoder, spatial_dims, in_channels)
        skips = dict(zip(self.encoder.strides, self.encoder.channels, strict=True))
        inside = skips[32]
        is_vgg = isinstance(self.encoder, VGGEncoder)
        self.bottom = _double_conv(spatial_dims, inside, inside) if is_vgg else nn.Identity()
        self.upsamplers, self.decoders = nn.ModuleList(), nn.ModuleList()
        for stride, width in zip((16, 8, 4, 2, 1), decoder_channels, strict=True):
            self.upsamplers.append(Conv[Conv.CONVTRANS, spatial_dims](inside, width, 2, stride=2))
            self.decoders.append(_double_conv(spatial_dims, width + skips.get(stride, 0), width))
            inside = width
        self.head = Conv[Conv.CONV, spatial_dims](inside, out_channels, 1)
        he_normal_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the image."""
        check_axes(x, self.spatial_dims)
        for n in x.shape[2:]:
            if n % self.stride != 0:
                raise ValueError(f"a side of {n} pixels is no multiple of {self.stride} (see valid_size)")
        features = self.encoder(x)
        x = self.bottom(features.pop())
        for upsample, decode in zip(self.upsamplers, self.decoders):  # noqa: B905 (TorchScript has no strict)
            x = upsample(x)
            if len(features) > 0:  # only the finest can be missing
                x = torch.cat([features.pop(), x], dim=1)
            x = decode(x)
        return self.head(x)

    @torch.jit.unused
    def valid_size(self, n: int) -> int:
        """The smallest multiple of ``stride`` of at least ``n`` pixels."""
        return max(1, -(-n // self.stride)) * self.stride


def _double_conv(spatial_dims: int, inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(ConvBNReLU(spatial_dims, inside, outside), ConvBNReLU(spatial_dims, outside, outside))
