"""U-Net with unpadded ("valid") or padded ("same") convolutions, 2D and 3D."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv, Pool
from monai.networks.layers.utils import get_norm_layer
from torch import Tensor, nn

from medseg.networks.he_init import he_normal_
from medseg.networks.image_axes import check_axes


class UNet(nn.Module):
    """The U-Net of Ronneberger, Fischer and Brox (MICCAI 2015, arXiv 1505.04597).

    Each level has two 3-wide convolutions with ReLU; 2-wide max-pooling leads down, a 2-wide transposed
    convolution that halves the channels leads up; the skip is cropped at its centre and concatenated in front
    of the upsampled features; a 1-wide convolution is the head. ``UNet(2, 1, 2)`` is the paper's network:
    31,030,658 parameters, 572² pixels in, 388² out.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: channels of the logits.
        channels: width of each level, finest first; ``len(channels) - 1`` poolings.
        padding: ``"valid"`` (the paper: the output is smaller by ``2 * margin``) or ``"same"`` (zero padding,
            sides must be multiples of ``stride``). MONAI's ``SlidingWindowInferer`` takes the smaller output of
            ``"valid"`` for a zoomed image, and returns wrong places without an error: use
            :class:`medseg.inferers.OverlapTileInferer`.
        norm: MONAI's name of a normalisation after each convolution (``"batch"``, ``"instance"``,
            ``("group", {"num_groups": 8})``), or None as in the paper. Normalisations over the tile's own
            pixels break exact tiling, see :class:`medseg.inferers.OverlapTileInferer`.
        dropout: probability at the end of the contracting path (after the two lowest levels).

    Attributes:
        spatial_dims, in_channels, out_channels: as given.
        margin: pixels lost on each side of each axis (0 for ``"same"``).
        stride: total pooling factor.

    Shapes: ``(B, in_channels, *n)`` to ``(B, out_channels, *(n - 2 * margin))``, float.

    Raises:
        ValueError: fewer than two levels, another ``padding``, ``spatial_dims`` other than 2 or 3, and in
            ``forward`` an input whose size is not one of :meth:`valid_size`, or without a batch axis.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (64, 128, 256, 512, 1024),
        padding: str = "valid",
        norm: str | tuple | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims is 2 or 3, not {spatial_dims}")
        if padding not in ("valid", "same"):
            raise ValueError(f"padding is 'valid' or 'same', not {padding!r}")
        if len(channels) < 2:
            raise ValueError(f"channels {tuple(channels)}: a U-Net has at least two levels")
        self.spatial_dims, self.in_channels, self.out_channels = spatial_dims, in_channels, out_channels
        depth = len(channels) - 1
        self.stride = 2**depth
        # the two convolutions of a level l cost 2 * 2**l px per side, on the way down and on the way up
        self.margin = 2 * (3 * 2**depth - 2) if padding == "valid" else 0
        # 2**depth (b - 4) + 4 pixels come out of b at the bottom: b = 4 is the least, for one pooling b = 3
        self._smallest = 2 * self.margin + min(4, self.stride) if padding == "valid" else self.stride

        def block(inside: int, outside: int, drop: float = 0.0) -> nn.Sequential:
            return _ConvBlock(spatial_dims, inside, outside, padding, norm, drop)

        self.encoders = nn.ModuleList(
            block(i, o, dropout if level == depth - 1 else 0.0)
            for level, (i, o) in enumerate(zip((in_channels, *channels[:-2]), channels[:-1], strict=True))
        )
        self.bottom = block(channels[-2], channels[-1], dropout)
        self.pool = Pool[Pool.MAX, spatial_dims](2)
        coarse_first = list(range(depth))[::-1]
        self.upsamplers = nn.ModuleList(
            Conv[Conv.CONVTRANS, spatial_dims](channels[i + 1], channels[i], 2, stride=2) for i in coarse_first
        )
        self.decoders = nn.ModuleList(block(2 * channels[i], channels[i]) for i in coarse_first)
        self.head = Conv[Conv.CONV, spatial_dims](channels[0], out_channels, 1)
        he_normal_(self)  # as in the paper, section 3

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the image, ``2 * margin`` smaller along each axis."""
        self._check_size(x)
        skips: list[Tensor] = []
        for encode in self.encoders:
            x = encode(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for upsample, decode in zip(self.upsamplers, self.decoders):  # noqa: B905 (TorchScript has no strict)
            x = upsample(x)
            x = decode(torch.cat([_crop_centre(skips.pop(), x), x], dim=1))
        return self.head(x)

    @torch.jit.unused
    def valid_size(self, n: int) -> int:
        """The smallest input side of at least ``n`` pixels that pools without remainder at each level."""
        steps = max(0, math.ceil((n - self._smallest) / self.stride))
        return self._smallest + steps * self.stride

    def _check_size(self, x: Tensor) -> None:
        check_axes(x, self.spatial_dims)
        for n in x.shape[2:]:
            if n < self._smallest or (n - self._smallest) % self.stride != 0:
                raise ValueError(
                    f"a side of {n} pixels does not pool without remainder: it must be "
                    f"{self._smallest} + {self.stride} k pixels long (see valid_size)"
                )


class _ConvBlock(nn.Sequential):
    """Twice convolution, normalisation, ReLU; then dropout."""

    def __init__(
        self,
        spatial_dims: int,
        inside: int,
        outside: int,
        padding: str,
        norm: str | tuple | None,
        drop: float,
    ) -> None:
        layers: list[nn.Module] = []
        for width in (inside, outside):
            pad = 1 if padding == "same" else 0
            # a bias in front of a normalisation that subtracts the mean would do nothing
            layers.append(Conv[Conv.CONV, spatial_dims](width, outside, 3, padding=pad, bias=norm is None))
            if norm is not None:
                layers.append(get_norm_layer(norm, spatial_dims, outside))
            layers.append(nn.ReLU(inplace=True))
        if drop > 0:
            layers.append(nn.Dropout(drop))
        super().__init__(*layers)


def _crop_centre(skip: Tensor, like: Tensor) -> Tensor:
    for axis in range(2, skip.dim()):
        want = like.shape[axis]
        skip = skip.narrow(axis, (skip.shape[axis] - want) // 2, want)
    return skip
