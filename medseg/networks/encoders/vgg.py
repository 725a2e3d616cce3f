"""VGG16 as an encoder."""

from __future__ import annotations

from monai.networks.layers.factories import Conv, Pool
from torch import Tensor, nn

from medseg.networks.batch_norm import BatchNorm

_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGGEncoder(nn.Module):
    """The convolutions of VGG16 (Simonyan and Zisserman, arXiv 1409.1556), with torchvision's keys.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        batch_norm: normalise after each convolution ("vgg16_bn"); the convolutions keep their bias.

    Shapes: ``(B, in_channels, *n)`` to six maps of ``channels[i]`` channels and sides n / ``strides[i]``, finest
    first: after the last ReLU in front of each pooling, and after the last pooling.
    """

    stem_key = "features.0.weight"
    ignored_keys = ("classifier.",)

    def __init__(self, spatial_dims: int, in_channels: int, batch_norm: bool = False) -> None:
        super().__init__()
        self.name = "vgg16_bn" if batch_norm else "vgg16"
        self.strides = (1, 2, 4, 8, 16, 32)
        self.channels = (64, 128, 256, 512, 512, 512)
        self._taps: list[int] = []
        layers: list[nn.Module] = []
        inside = in_channels
        for widths in _WIDTHS:
            for outside in widths:
                layers.append(Conv[Conv.CONV, spatial_dims](inside, outside, 3, padding=1))
                if batch_norm:
                    layers.append(BatchNorm(outside))
                layers.append(nn.ReLU(inplace=True))
                inside = outside
            self._taps.append(len(layers) - 1)
            layers.append(Pool[Pool.MAX, spatial_dims](2))
        self._taps.append(len(layers) - 1)
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features, finest first."""
        found: list[Tensor] = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self._taps:
                found.append(x)
        return found
