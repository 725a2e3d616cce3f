"""A Mask R-CNN that is quick, and targets for it."""

from __future__ import annotations

import torch
from torch import nn

from medseg.networks.mask_rcnn import MaskRCNN, PoolingSettings, ProposalSettings


class Small(nn.Module):
    """A backbone of two levels, to be quick."""

    strides, out_channels = (4, 8), 16

    def __init__(self, dims):
        super().__init__()
        conv = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
        self.fine = nn.Sequential(
            conv(1, 16, 3, 2, 1), nn.ReLU(), conv(16, 16, 3, 2, 1), nn.ReLU(), conv(16, 16, 3, 1, 1), nn.ReLU()
        )
        self.coarse, self.coarsest = (nn.Sequential(conv(16, 16, 3, 2, 1), nn.ReLU()) for _ in range(2))

    def forward(self, x):
        fine = self.fine(x)
        coarse = self.coarse(fine)
        return [fine, coarse, self.coarsest(coarse)]


def small(dims=2, mask_head="sigmoid", num_classes=3, interpolation="linear", **more):
    backbone = Small(dims)
    return MaskRCNN(
        dims,
        1,
        num_classes,
        backbone,
        anchor_sizes=(8, 16, 32),
        mask_head=mask_head,
        pooling=PoolingSettings(box_size=3, mask_size=4, hidden=16, interpolation=interpolation),
        proposals=ProposalSettings(per_level=50, per_level_training=50, per_image=60, per_image_training=60),
        **more,
    )


def instances(dims, *boxes):
    side = 48
    image = torch.zeros([side] * dims, dtype=torch.int32)
    for i, (low, high) in enumerate(boxes):
        image[(slice(low, high),) * dims] = i + 1
    corners = [[low] * dims + [high] * dims for low, high in boxes]
    return {
        "boxes": torch.tensor(corners).reshape(-1, 2 * dims),
        "labels": torch.arange(len(boxes)) % 2 + 1,
        "instances": image,
    }
