"""ResNets as encoders."""

from __future__ import annotations

import torch.nn.functional as F
from monai.networks.layers.factories import Conv, Pool
from torch import Tensor, nn

from medseg.networks.batch_norm import BatchNorm
from medseg.networks.encoders.atrous import atrous_plan, check_output_stride

_DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
_WIDTHS = (64, 128, 256, 512)


class ResNetEncoder(nn.Module):
    """ResNet (He et al., CVPR 2016) without its classifier, with torchvision's keys.

    As in torchvision, a bottleneck's stride sits in its 3-wide convolution, not in the first one as in the paper.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        layers: 18, 34, 50 or 101.
        output_stride: 32, or 16 or 8 with the atrous rule.

    Shapes: ``(B, in_channels, *n)`` to five maps of ``channels[i]`` channels and sides ceil(n / ``strides[i]``),
    finest first: in front of the max-pooling, and after each of the four layers.
    """

    stem_key = "conv1.weight"
    ignored_keys = ("fc.",)

    def __init__(self, spatial_dims: int, in_channels: int, layers: int = 50, output_stride: int = 32) -> None:
        super().__init__()
        if layers not in _DEPTHS:
            raise ValueError(f"a ResNet has 18, 34, 50 or 101 layers, not {layers}")
        check_output_stride(output_stride, f"resnet{layers}")
        block = _BasicBlock if layers < 50 else _Bottleneck
        depths = _DEPTHS[layers]
        self.name = f"resnet{layers}"
        self.strides = tuple(min(s, output_stride) for s in (2, 4, 8, 16, 32))
        self.channels = (64, *(w * block.expansion for w in _WIDTHS))
        self.conv1 = Conv[Conv.CONV, spatial_dims](in_channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = BatchNorm(64)
        self.maxpool = Pool[Pool.MAX, spatial_dims](3, stride=2, padding=1)

        first_strides = [1, 2, 2, 2]
        strides = [s for first, depth in zip(first_strides, depths, strict=True) for s in [first] + [1] * (depth - 1)]
        plan = iter(atrous_plan(strides, output_stride, start=4))
        inside, stages = 64, []
        for width, depth in zip(_WIDTHS, depths, strict=True):
            blocks = []
            for _ in range(depth):
                stride, rate = next(plan)
                blocks.append(block(spatial_dims, inside, width, stride, rate))
                inside = width * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features, finest first."""
        stem = F.relu(self.bn1(self.conv1(x)))
        one = self.layer1(self.maxpool(stem))
        two = self.layer2(one)
        three = self.layer3(two)
        features = [stem, one, two, three]
        if self.layer4 is not None:
            features.append(self.layer4(three))
        return features

    def drop_last_stage(self) -> None:
        """Remove the fourth layer, which holds three quarters of ResNet-18's parameters, and its features."""
        self.layer4 = None
        self.strides, self.channels = self.strides[:4], self.channels[:4]
        self.ignored_keys = (*type(self).ignored_keys, "layer4.")


def _conv(spatial_dims: int, inside: int, outside: int, kernel: int, stride: int = 1, rate: int = 1) -> nn.Module:
    padding = rate * (kernel // 2)
    return Conv[Conv.CONV, spatial_dims](
        inside, outside, kernel, stride=stride, padding=padding, dilation=rate, bias=False
    )


def _shortcut(spatial_dims: int, inside: int, outside: int, stride: int, changes: bool) -> nn.Module:
    if not changes:
        return nn.Identity()
    return nn.Sequential(_conv(spatial_dims, inside, outside, 1, stride), BatchNorm(outside))


class _BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, spatial_dims: int, inside: int, width: int, stride: int, rate: int) -> None:
        super().__init__()
        self.conv1 = _conv(spatial_dims, inside, width, 3, stride, rate)
        self.bn1 = BatchNorm(width)
        self.conv2 = _conv(spatial_dims, width, width, 3, rate=rate)
        self.bn2 = BatchNorm(width)
        self.downsample = _shortcut(spatial_dims, inside, width, stride, stride > 1 or inside != width)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class _Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, spatial_dims: int, inside: int, width: int, stride: int, rate: int) -> None:
        super().__init__()
        outside = width * self.expansion
        self.conv1 = _conv(spatial_dims, inside, width, 1)
        self.bn1 = BatchNorm(width)
        self.conv2 = _conv(spatial_dims, width, width, 3, stride, rate)
        self.bn2 = BatchNorm(width)
        self.conv3 = _conv(spatial_dims, width, outside, 1)
        self.bn3 = BatchNorm(outside)
        self.downsample = _shortcut(spatial_dims, inside, outside, stride, stride > 1 or inside != outside)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))
