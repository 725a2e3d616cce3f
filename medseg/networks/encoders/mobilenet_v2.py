"""MobileNetV2 as an encoder."""

from __future__ import annotations

from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from medseg.networks.batch_norm import BatchNorm
from medseg.networks.encoders.atrous import atrous_plan, check_output_stride

# expansion, channels, blocks, stride of the first block: Sandler et al., table 2
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_STEM = 32


class MobileNetV2Encoder(nn.Module):
    """MobileNetV2 (Sandler et al., CVPR 2018) without its classifier, with torchvision's keys.

    The 1-wide convolution to 1280 channels (``features.18``) counts as the classifier's.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        output_stride: 32, or 16 or 8 with the atrous rule.

    Shapes: ``(B, in_channels, *n)`` to five maps of ``channels[i]`` channels and sides ceil(n / ``strides[i]``),
    finest first: the last block of each stride.
    """

    stem_key = "features.0.0.weight"

    def __init__(self, spatial_dims: int, in_channels: int, output_stride: int = 32) -> None:
        super().__init__()
        check_output_stride(output_stride, "mobilenet_v2")
        self.name = "mobilenet_v2"
        self.ignored_keys = ("classifier.", "features.18.")
        self.strides = tuple(min(s, output_stride) for s in (2, 4, 8, 16, 32))
        self.channels = (16, 24, 32, 96, 320)
        self._taps = [1, 3, 6, 13, 17]

        layers: list[nn.Module] = [_conv_bn_relu6(spatial_dims, in_channels, _STEM, 3, stride=2)]
        blocks = [(t, c, s if i == 0 else 1) for t, c, n, s in _STAGES for i in range(n)]
        plan = atrous_plan([s for _, _, s in blocks], output_stride, start=2)
        inside = _STEM
        for (expansion, outside, _), (stride, rate) in zip(blocks, plan, strict=True):
            layers.append(_InvertedResidual(spatial_dims, inside, outside, expansion, stride, rate))
            inside = outside
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features, finest first."""
        found: list[Tensor] = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self._taps:
                found.append(x)
        return found


def _conv_bn_relu6(
    spatial_dims: int, inside: int, outside: int, kernel: int, stride: int = 1, rate: int = 1, groups: int = 1
) -> nn.Sequential:
    padding = rate * (kernel // 2)
    return nn.Sequential(
        Conv[Conv.CONV, spatial_dims](
            inside, outside, kernel, stride=stride, padding=padding, dilation=rate, groups=groups, bias=False
        ),
        BatchNorm(outside),
        nn.ReLU6(inplace=True),
    )


class _InvertedResidual(nn.Module):
    """1-wide expansion, 3-wide depthwise, linear 1-wide projection; a shortcut where the shape stays."""

    def __init__(self, spatial_dims: int, inside: int, outside: int, expansion: int, stride: int, rate: int) -> None:
        super().__init__()
        width = inside * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers.append(_conv_bn_relu6(spatial_dims, inside, width, 1))
        layers += [
            _conv_bn_relu6(spatial_dims, width, width, 3, stride, rate, groups=width),
            Conv[Conv.CONV, spatial_dims](width, outside, 1, bias=False),
            BatchNorm(outside),
        ]
        self.has_shortcut = stride == 1 and inside == outside
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.has_shortcut else self.conv(x)
