"""The box head: class and refined box of each proposal."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu


class BoxHead(nn.Module):
    """Two hidden layers, then one logit per class and ``2 d`` box deltas per class.

    Args:
        spatial_dims: 2 or 3.
        channels: of the pooled features.
        pooled_size: bins of the pooled features along each axis.
        num_classes: classes, the background among them.
        hidden: width of the hidden layers.
    """

    def __init__(self, spatial_dims: int, channels: int, pooled_size: int, num_classes: int, hidden: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(channels * pooled_size**spatial_dims, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.cls_score = nn.Linear(hidden, num_classes)
        self.bbox_pred = nn.Linear(hidden, 2 * spatial_dims * num_classes)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``(N, classes)`` and deltas ``(N, 2 d * classes)`` of pooled features ``(N, C, *bins)``."""
        hidden = relu(self.fc7(relu(self.fc6(pooled.flatten(1)))))
        return self.cls_score(hidden), self.bbox_pred(hidden)
