"""The region proposal network: where objects may be, whatever their class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.detection.utils.box_coder import BoxCoder
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu, smooth_l1_loss

from medseg.networks.mask_rcnn.anchors import Shape, cell_anchors, grid_anchors
from medseg.networks.mask_rcnn.image_batch import ImageBatch
from medseg.networks.mask_rcnn.matcher import BACKGROUND, match_boxes
from medseg.networks.mask_rcnn.proposals import select_proposals
from medseg.networks.mask_rcnn.sampling import sample_balanced
from medseg.networks.mask_rcnn.settings import ProposalSettings
from medseg.networks.mask_rcnn.targets import Objects


class ProposalHead(nn.Module):
    """A 3-wide convolution, then for each cell and anchor one logit and ``2 d`` box deltas.

    Args:
        spatial_dims: 2 or 3.
        channels: of the pyramid.
        anchors: per cell.
    """

    def __init__(self, spatial_dims: int, channels: int, anchors: int) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.conv = conv(channels, channels, 3, padding=1)
        self.cls_logits = conv(channels, anchors, 1)
        self.bbox_pred = conv(channels, 2 * spatial_dims * anchors, 1)
        for layer in (self.conv, self.cls_logits, self.bbox_pred):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, features: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Per level logits ``(B, cells * anchors)`` and deltas ``(B, cells * anchors, 2 d)``, in the anchors' order.

        Both are in the weights' precision, also under autocast.
        """
        logits, deltas = [], []
        for level in features:
            hidden = relu(self.conv(level))
            # autocast to bfloat16, most anchors would share their logit with others: their order would be chance
            with torch.autocast(hidden.device.type, enabled=False):
                hidden = hidden.to(self.cls_logits.weight.dtype)
                logit, delta = self.cls_logits(hidden), self.bbox_pred(hidden)
            logits.append(logit.movedim(1, -1).flatten(1))
            delta = delta.movedim(1, -1)
            deltas.append(delta.reshape(len(delta), -1, 2 * (level.dim() - 2)))
        return logits, deltas


class RegionProposalNetwork(nn.Module):
    """Scores and refines anchors, and keeps the best as proposals (Ren et al., Faster R-CNN, NIPS 2015).

    Args:
        spatial_dims: 2 or 3.
        channels: of the pyramid.
        shapes: per pyramid level the sides of its anchors, see :func:`anchor_shapes`; as many on each level.
        settings: numbers of proposals and thresholds.
        strides: pixels per cell of each level; None takes the integer part of image size over grid size, as
            torchvision does, which is too small where a grid was rounded up.

    Raises:
        ValueError: levels with different numbers of anchors, or an anchor without extent after rounding.
    """

    def __init__(
        self,
        spatial_dims: int,
        channels: int,
        shapes: Sequence[Sequence[Shape]],
        settings: ProposalSettings | None = None,
        strides: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if len({len(level) for level in shapes}) != 1:
            raise ValueError(f"levels have {[len(level) for level in shapes]} anchors: the head needs as many on each")
        for level in shapes:
            corners = cell_anchors(level)
            if (corners[:, :spatial_dims] >= corners[:, spatial_dims:]).any():
                raise ValueError(f"anchors of sides {level} are too small: each side must round to 2 pixels or more")
        self.shapes, self.settings = shapes, settings or ProposalSettings()
        self.strides = strides
        self.head = ProposalHead(spatial_dims, channels, len(shapes[0]))
        self.coder = BoxCoder((1.0,) * (2 * spatial_dims))

    def forward(
        self, features: Sequence[Tensor], batch: ImageBatch, objects: Sequence[Objects] | None = None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Proposals ``(N_i, 2 d)`` of each image, best first, and with ``objects`` the two losses."""
        logits, deltas = self.head(features)
        anchors = self._anchors(features, batch)
        proposals = select_proposals(
            logits, deltas, anchors, batch.shapes, self.coder, self.settings, training=self.training
        )
        if objects is None:
            return proposals, {}
        return proposals, proposal_losses(
            torch.cat(logits, 1), torch.cat(deltas, 1), torch.cat(anchors), objects, self.coder, self.settings
        )

    def _anchors(self, features: Sequence[Tensor], batch: ImageBatch) -> list[Tensor]:
        if len(features) != len(self.shapes):
            raise ValueError(f"{len(features)} pyramid levels but anchors for {len(self.shapes)}")
        anchors = []
        for k, (level, shapes) in enumerate(zip(features, self.shapes, strict=True)):
            grid = level.shape[2:]
            if self.strides is None:
                stride = [side // n for side, n in zip(batch.tensor.shape[2:], grid, strict=True)]
            else:
                stride = [self.strides[k]] * len(grid)
            anchors.append(grid_anchors(shapes, grid, stride, level.detach().new_zeros((), dtype=torch.float32)))
        return anchors


def proposal_losses(
    logits: Tensor,
    deltas: Tensor,
    anchors: Tensor,
    objects: Sequence[Objects],
    coder: BoxCoder,
    settings: ProposalSettings,
) -> dict[str, Tensor]:
    """Mean cross-entropy of sampled anchors, and smooth L1 (beta 1/9) of the positive ones over their number.

    Args:
        logits, deltas: ``(B, anchors)`` and ``(B, anchors, 2 d)``.
        anchors: ``(anchors, 2 d)``, the same for each image.
    """
    chosen_logits, is_object, chosen_deltas, wanted_deltas = [], [], [], []
    for image, target in enumerate(objects):
        matches = match_boxes(
            target.boxes.to(anchors), anchors, settings.positive_iou, settings.negative_iou, low_quality=True
        )
        positive, negative = sample_balanced(
            matches >= 0, matches == BACKGROUND, settings.sampled, settings.positive_fraction
        )
        chosen = torch.cat([positive, negative])
        chosen_logits.append(logits[image, chosen])
        is_object.append(torch.arange(len(chosen), device=chosen.device) < len(positive))
        chosen_deltas.append(deltas[image, positive])
        wanted_deltas.append(coder.encode_single(target.boxes.to(anchors)[matches[positive]], anchors[positive]))
    chosen, truth = torch.cat(chosen_logits), torch.cat(is_object)
    count = max(1, len(chosen))
    wanted = torch.cat(wanted_deltas)
    found = torch.cat(chosen_deltas).to(wanted.dtype)  # half precision is too coarse for a sum
    return {
        "loss_objectness": binary_cross_entropy_with_logits(chosen, truth.to(chosen.dtype), reduction="sum") / count,
        "loss_rpn_box_reg": smooth_l1_loss(found, wanted, beta=1 / 9, reduction="sum") / count,
    }
