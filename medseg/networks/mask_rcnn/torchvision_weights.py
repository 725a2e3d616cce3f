"""Weights of torchvision's Mask R-CNN for the network of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from medseg.networks.encoders import adapt_input_channels
from medseg.networks.mask_rcnn.frozen_norm import FrozenBatchNorm

if TYPE_CHECKING:
    from medseg.networks.mask_rcnn.mask_rcnn import MaskRCNN

_RENAMES = (  # both of torchvision's formats to ours, whose pyramid is MONAI's
    (r"^backbone\.fpn\.(inner|layer)_blocks\.(\d)\.0\.", r"backbone.fpn.\1_blocks.\2."),
    (r"^rpn\.head\.conv\.0\.0\.", "rpn.head.conv."),
    (r"^roi_heads\.box_head\.(fc[67])\.", r"box_head.\1."),
    (r"^roi_heads\.box_predictor\.", "box_head."),
    (r"^roi_heads\.mask_head\.(\d)\.0\.", r"mask_head.convs.\1."),
    (r"^roi_heads\.mask_predictor\.", "mask_head."),
)
_PER_CLASS = ("box_head.cls_score", "box_head.bbox_pred", "mask_head.mask_fcn_logits")
_PER_ANCHOR = ("rpn.head.cls_logits", "rpn.head.bbox_pred")
_STEM = "backbone.body.conv1.weight"


def load_torchvision(network: MaskRCNN, state_dict: Mapping[str, Tensor], norm_eps: float | None = None) -> list[str]:
    """Load weights of ``maskrcnn_resnet50_fpn`` or another torchvision ResNet with FPN into a 2D network.

    The file may be of the old format (the published COCO weights) or the new one. Box deltas go from x, y to the
    order of the image's axes; the first kernel goes to the network's channels by :func:`adapt_input_channels`. Layers
    whose size depends on the number of classes or of anchors keep their initial weights if the numbers differ.

    Args:
        network: 2D, with the checkpoint's backbone.
        state_dict: torchvision's; not changed.
        norm_eps: epsilon with which the file's batch normalisation was made; None means 0 for a file of the old
            format and 1e-5 otherwise. The network keeps its own, which a state dict does not hold, and takes the
            difference into the scales: what is saved after fine-tuning computes the same elsewhere.

    Returns:
        Names of the parameters that kept their initial weights.

    Raises:
        ValueError: a 3D network, a checkpoint of another architecture, another backbone than the network's.
    """
    if network.spatial_dims != 2:
        raise ValueError("torchvision's weights are for 2D images; this network is 3D")
    if "rpn.head.conv.1.0.weight" in state_dict:
        raise ValueError("this is maskrcnn_resnet50_fpn_v2: it has other heads, take the weights without _v2")
    old_format = "rpn.head.conv.weight" in state_dict
    weights = {_rename(k): v for k, v in state_dict.items() if not k.endswith("num_batches_tracked")}
    own = network.state_dict()
    for name in ("rpn.head.bbox_pred", "box_head.bbox_pred"):
        for leaf in ("weight", "bias"):
            if f"{name}.{leaf}" in weights:
                weights[f"{name}.{leaf}"] = _swap_axes(weights[f"{name}.{leaf}"])
    if _STEM in weights:
        weights[_STEM] = adapt_input_channels(weights[_STEM], network.in_channels)
    fresh = []
    for key in sorted(own):
        if key.endswith("num_batches_tracked"):
            weights[key] = own[key]
        elif key.startswith(_PER_CLASS + _PER_ANCHOR) and key in weights and weights[key].shape != own[key].shape:
            fresh.append(key)
            weights[key] = own[key]
    if network.mask_head is None:
        weights = {k: v for k, v in weights.items() if not k.startswith("mask_head.")}
    _check_fit(weights, own)
    eps = (0.0 if old_format else 1e-5) if norm_eps is None else norm_eps
    for name, module in network.named_modules():
        if isinstance(module, FrozenBatchNorm | _BatchNorm) and module.eps != eps:
            variance, scale = weights[f"{name}.running_var"], weights[f"{name}.weight"]
            weights[f"{name}.weight"] = scale * ((variance + module.eps) / (variance + eps)).sqrt()
    network.load_state_dict(weights)
    return fresh


def _rename(key: str) -> str:
    key = re.sub(r"^roi_heads\.mask_head\.mask_fcn(\d)\.", lambda m: f"roi_heads.mask_head.{int(m[1]) - 1}.0.", key)
    for pattern, ours in _RENAMES:
        key = re.sub(pattern, ours, key)
    return key


def _swap_axes(deltas: Tensor) -> Tensor:
    """Rows in groups of dx, dy, dw, dh to dy, dx, dh, dw."""
    return deltas.reshape(-1, 4, *deltas.shape[1:])[:, [1, 0, 3, 2]].reshape(deltas.shape)


def _check_fit(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    missing, extra = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    if missing or extra:
        raise ValueError(
            f"these weights are not of this architecture: {len(missing)} parameters are missing (first: "
            f"{missing[:1]}), {len(extra)} are unknown (first: {extra[:1]})"
        )
    for key, value in weights.items():
        if value.shape != own[key].shape:
            raise ValueError(f"{key} has shape {tuple(value.shape)}, the network's is {tuple(own[key].shape)}")
