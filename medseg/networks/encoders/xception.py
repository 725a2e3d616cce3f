"""Aligned Xception-65, the backbone of DeepLabV3+."""

from __future__ import annotations

from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from medseg.networks.batch_norm import BatchNorm
from medseg.networks.conv_bn_relu import ConvBNReLU, SeparableConv
from medseg.networks.encoders.atrous import atrous_plan, check_output_stride

_EPS = 1e-3  # of the authors' batch normalisation
# widths of the three separable convolutions, stride of the third
_ENTRY = (((128, 128, 128), 2), ((256, 256, 256), 2), ((728, 728, 728), 2))
_MIDDLE = (((728, 728, 728), 1),) * 16
_EXIT = (((728, 1024, 1024), 2), ((1536, 1536, 2048), 1))


class XceptionEncoder(nn.Module):
    """Aligned Xception-65 (Chen et al., ECCV 2018, fig. 4): Xception without pooling, deeper, always separable.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        output_stride: 32, or 16 or 8 with the atrous rule.

    Shapes: ``(B, in_channels, *n)`` to two maps: 256 channels of sides ceil(n / 4), after the second separable
    convolution of the second entry block (no ReLU), and 2048 of sides ceil(n / ``output_stride``).
    """

    stem_key = "conv1.0.weight"
    ignored_keys = ()

    def __init__(self, spatial_dims: int, in_channels: int, output_stride: int = 16) -> None:
        super().__init__()
        check_output_stride(output_stride, "xception65")
        self.name = "xception65"
        self.strides = (4, output_stride)
        self.channels = (256, 2048)
        self.conv1 = ConvBNReLU(spatial_dims, in_channels, 32, stride=2, eps=_EPS)
        self.conv2 = ConvBNReLU(spatial_dims, 32, 64, eps=_EPS)
        blocks, inside = [], 64
        layout = _ENTRY + _MIDDLE + _EXIT
        plan = atrous_plan([stride for _, stride in layout], output_stride, start=2)
        for (widths, published_stride), (stride, rate) in zip(layout, plan, strict=True):
            if widths == _EXIT[-1][0]:
                block: nn.Module = _LastBlock(spatial_dims, inside, widths, rate)
            else:
                block = _Block(spatial_dims, inside, widths, stride, rate, published_stride == 1)
            blocks.append(block)
            inside = widths[-1]
        self.entry1, self.entry2 = blocks[:2]
        self.blocks = nn.Sequential(*blocks[2:])

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features, finest first."""
        x = self.entry1(self.conv2(self.conv1(x)))
        low = self.entry2.first_two(x)
        return [low, self.blocks(self.entry2.add_shortcut(low, x))]


class _Block(nn.Module):
    """Three separable convolutions and a shortcut; no ReLU after the addition."""

    def __init__(
        self, spatial_dims: int, inside: int, widths: tuple[int, int, int], stride: int, rate: int, identity: bool
    ) -> None:
        super().__init__()

        def unit(i: int, o: int, s: int = 1) -> SeparableConv:
            return SeparableConv(spatial_dims, i, o, s, rate, relu_first=True, eps=_EPS)

        self.sep1 = unit(inside, widths[0])
        self.sep2 = unit(widths[0], widths[1])
        self.sep3 = unit(widths[1], widths[2], stride)
        self.shortcut: nn.Module = nn.Identity()
        if not identity:
            conv = Conv[Conv.CONV, spatial_dims](inside, widths[2], 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(conv, BatchNorm(widths[2], eps=_EPS))

    def first_two(self, x: Tensor) -> Tensor:
        return self.sep2(self.sep1(x))

    def add_shortcut(self, y: Tensor, x: Tensor) -> Tensor:
        return self.sep3(y) + self.shortcut(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.add_shortcut(self.first_two(x), x)


class _LastBlock(nn.Sequential):
    """Three separable convolutions with ReLUs after each normalisation, and no shortcut."""

    def __init__(self, spatial_dims: int, inside: int, widths: tuple[int, int, int], rate: int) -> None:
        ins = (inside, *widths[:-1])
        super().__init__(
            *(SeparableConv(spatial_dims, i, o, rate=rate, eps=_EPS) for i, o in zip(ins, widths, strict=True))
        )
