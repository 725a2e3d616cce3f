"""The mask head: the outline of each detected object inside its box."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, relu


class MaskHead(nn.Module):
    """Four 3-wide convolutions, a 2-wide transposed one, then a mask of logits for each class.

    ``activation="sigmoid"`` decouples masks from classes: each class has a mask of its own and the box head
    says which one counts. ``"softmax"`` lets the classes compete in each pixel, the background among them.

    Args:
        spatial_dims: 2 or 3.
        channels: of the pooled features and of the layers.
        num_classes: classes, the background among them.
        activation: ``"sigmoid"`` or ``"softmax"``.

    Source: He et al., Mask R-CNN, ICCV 2017, section 3 and table 2b.
    """

    def __init__(self, spatial_dims: int, channels: int, num_classes: int, activation: str = "sigmoid") -> None:
        super().__init__()
        if activation not in ("sigmoid", "softmax"):
            raise ValueError(f"masks are 'sigmoid' or 'softmax', not {activation!r}")
        conv = Conv[Conv.CONV, spatial_dims]
        self.activation = activation
        self.convs = nn.ModuleList(conv(channels, channels, 3, padding=1) for _ in range(4))
        self.conv5_mask = Conv[Conv.CONVTRANS, spatial_dims](channels, channels, 2, stride=2)
        self.mask_fcn_logits = conv(channels, num_classes, 1)
        for layer in (*self.convs, self.conv5_mask, self.mask_fcn_logits):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.mask_fcn_logits.weight, std=0.001)  # begin undecided

    def forward(self, pooled: Tensor) -> Tensor:
        """Logits ``(N, classes, *2 bins)`` of pooled features ``(N, C, *bins)``."""
        for conv in self.convs:
            pooled = relu(conv(pooled))
        return self.mask_fcn_logits(relu(self.conv5_mask(pooled)))

    def loss(self, logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy against masks ``(N, *2 bins)`` from 0 to 1 of objects with ``labels`` ``(N,)``."""
        if len(labels) == 0:
            return logits.sum() * 0  # no object in the batch: the head stays in the graph without a say
        if self.activation == "sigmoid":
            own = logits[torch.arange(len(labels), device=labels.device), labels]
            return binary_cross_entropy_with_logits(own, targets.to(own.dtype))
        column = (len(labels),) + (1,) * (targets.dim() - 1)
        return cross_entropy(logits, torch.where(targets >= 0.5, labels.view(column), 0))

    def probabilities(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Foreground probability ``(N, *2 bins)`` of each object's own class, float32."""
        logits = logits.float()
        own = torch.arange(len(labels), device=labels.device), labels
        return logits[own].sigmoid() if self.activation == "sigmoid" else logits.softmax(dim=1)[own]
