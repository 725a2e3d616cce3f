"""ROIAlign over a feature pyramid: each box is pooled from the level that suits its size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medseg.networks.mask_rcnn.box_iou import box_volume
from medseg.networks.mask_rcnn.roi_align import roi_align


class PyramidPooling(nn.Module):
    """Features of fixed size for boxes of any size.

    Args:
        spatial_dims: 2 or 3.
        output_size: bins along each axis.
        strides: pixels per cell of each level, finest first, each twice the one before.
        canonical_size: side in pixels of the boxes that belong to the level of stride 16.
        sampling_ratio, aligned, interpolation: see :func:`roi_align`.

    Source: Lin et al., Feature Pyramid Networks, CVPR 2017, equation 1.
    """

    def __init__(
        self,
        spatial_dims: int,
        output_size: int,
        strides: Sequence[int] = (4, 8, 16, 32),
        canonical_size: float = 224.0,
        sampling_ratio: int = 2,
        aligned: bool = True,
        interpolation: str = "linear",
    ) -> None:
        super().__init__()
        self.output_size = (output_size,) * spatial_dims
        self.strides, self.canonical_size = tuple(strides), canonical_size
        self.sampling_ratio, self.aligned, self.interpolation = sampling_ratio, aligned, interpolation

    def forward(self, features: Sequence[Tensor], boxes: Sequence[Tensor]) -> Tensor:
        """Pool the boxes of all images.

        Args:
            features: levels ``(B, C, *spatial)``; levels beyond the strides are not used.
            boxes: per image ``(N_i, 2 d)`` in pixels.

        Returns:
            ``(sum N_i, C, *output_size)``, images one after the other.
        """
        together = torch.cat(list(boxes))
        image_index = torch.arange(len(boxes), device=together.device).repeat_interleave(
            torch.tensor([len(b) for b in boxes], device=together.device)
        )
        level = pyramid_level(together, self.strides, self.canonical_size)
        rows, pooled = [], []
        for k, stride in enumerate(self.strides):
            row = torch.nonzero(level == k).flatten()
            rows.append(row)
            pooled.append(
                roi_align(
                    features[k],
                    together[row],
                    image_index[row],
                    self.output_size,
                    1 / stride,
                    self.sampling_ratio,
                    self.aligned,
                    self.interpolation,
                )
            )
        return torch.cat(pooled)[torch.cat(rows).argsort()]


def pyramid_level(boxes: Tensor, strides: Sequence[int], canonical_size: float = 224.0) -> Tensor:
    """Level ``(N,)`` of each box: that of stride 16 at the canonical size, one coarser when twice as long."""
    dims = boxes.shape[1] // 2
    size = box_volume(boxes) ** (1 / dims)
    # 1e-6: a box of exactly the canonical size does not fall a level by rounding
    level = torch.floor(math.log2(16 / strides[0]) + torch.log2(size / canonical_size) + 1e-6)
    return level.clamp(0, len(strides) - 1).long()
