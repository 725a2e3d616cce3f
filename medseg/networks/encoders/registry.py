"""Encoders by name."""

from __future__ import annotations

from torch import nn

from medseg.networks.encoders.mobilenet_v2 import MobileNetV2Encoder
from medseg.networks.encoders.resnet import ResNetEncoder
from medseg.networks.encoders.vgg import VGGEncoder
from medseg.networks.encoders.xception import XceptionEncoder

ENCODER_NAMES = ("vgg16", "vgg16_bn", "resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2", "xception65")


def make_encoder(name: str, spatial_dims: int, in_channels: int, output_stride: int = 32) -> nn.Module:
    """An encoder whose ``forward`` lists feature maps, finest first.

    It tells their sizes by ``channels`` and ``strides`` (input pixels per feature pixel), and its ``name``.
    All but ``xception65`` have torchvision's keys, see :func:`load_encoder_weights`.

    Args:
        name: one of ``ENCODER_NAMES``.
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        output_stride: 32, or 16 or 8 with the atrous rule (not for VGG).

    Raises:
        ValueError: another name, dimension or stride.
    """
    if name not in ENCODER_NAMES:
        raise ValueError(f"no encoder {name!r}; there are {', '.join(ENCODER_NAMES)}")
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims is 2 or 3, not {spatial_dims}")
    if name.startswith("vgg"):
        if output_stride != 32:
            raise ValueError(f"{name} has no atrous form: output_stride is 32, not {output_stride}")
        return VGGEncoder(spatial_dims, in_channels, batch_norm=name == "vgg16_bn")
    if name.startswith("resnet"):
        return ResNetEncoder(spatial_dims, in_channels, int(name.removeprefix("resnet")), output_stride)
    if name == "mobilenet_v2":
        return MobileNetV2Encoder(spatial_dims, in_channels, output_stride)
    return XceptionEncoder(spatial_dims, in_channels, output_stride)
