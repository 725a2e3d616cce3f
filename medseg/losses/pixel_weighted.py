"""Cross-entropy in which every pixel has its own weight (U-Net, equation 1)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from monai.utils import CommonKeys, convert_to_tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from medseg.errors import InputError
from medseg.losses.weighted_target import check_one_per_pixel, check_weights, labels_and_weights


class PixelWeightedLoss(torch.nn.Module):
    """``Σ w(x) · CE(x) / Σ w(x)`` over all pixels of a batch: the paper's energy, normalised by the weights.

    One channel of logits is a foreground score (binary cross-entropy, labels 0 to 1), more are class scores
    (softmax cross-entropy, labels 0 … channels − 1). A weight of 0 takes a pixel out, whatever its label, such as 255
    for "ignore" (``weight * (label != 255)``). To weigh classes, multiply the weights by ``class_weights[label]``.

    In a MONAI engine ``medseg.training.weighted_batch.PrepareWeightedBatch`` as ``prepare_batch`` hands over
    label and weight together; called by hand the weight is a third argument.

    Args:
        weight_key, label_key: where label and weight are in a target that is a mapping.

    Source: O. Ronneberger, P. Fischer, T. Brox, "U-Net", MICCAI 2015, equation 1.

    Example:
        >>> loss = PixelWeightedLoss()
        >>> logits, label = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
        >>> loss(logits, label, torch.full((1, 1, 4, 4), 3.0))
        tensor(0.6931)
    """

    def __init__(self, weight_key: str = "weight", label_key: str = CommonKeys.LABEL) -> None:
        super().__init__()
        self.weight_key, self.label_key = weight_key, label_key

    def forward(
        self,
        pred: torch.Tensor,
        target: torch.Tensor | Mapping[str, torch.Tensor],
        weight: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the loss as a scalar in float32 (float64 for logits of float64).

        Args:
            pred: ``(B, C, *spatial)`` logits.
            target: ``(B, 1, *spatial)`` labels of any real dtype, whole numbers where there are several channels of
                logits; or a mapping that holds labels and weights.
            weight: ``(B, 1, *spatial)`` weights, 0 or more; None: 1 everywhere.

        Raises:
            InputError: several heads, a key that is missing, shapes that differ, no pixel, labels out of range or
                between two classes, weights that are negative, infinite or NaN.
        """
        if not isinstance(pred, torch.Tensor):
            raise InputError(
                f"PixelWeightedLoss: takes the logits of one head, not a {type(pred).__name__} of them; average its "
                "loss over the heads, or use BCEDiceLoss, which does so."
            )
        if isinstance(target, Mapping):
            target, weight = labels_and_weights(target, self.label_key, self.weight_key, "PixelWeightedLoss")
        check_one_per_pixel("labels", target, pred, "PixelWeightedLoss")
        if weight is None:
            weight = torch.ones_like(target, dtype=torch.float32)
        check_weights(weight, pred, "PixelWeightedLoss")
        pred = pred.to(torch.promote_types(pred.dtype, torch.float32))
        weight = weight.to(pred.dtype)
        total = weight.sum()
        # without a single weighted pixel there is nothing to learn: a loss of 0 whose gradient is 0
        return (weight * _per_pixel(pred, target, weight)).sum() / total.clamp_min(torch.finfo(total.dtype).tiny)


def _per_pixel(pred: torch.Tensor, label: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    classes, label = max(pred.shape[1], 2), convert_to_tensor(label, track_meta=False)
    ignored = convert_to_tensor(weight, track_meta=False) == 0
    known = (label.to(pred.dtype) if pred.shape[1] == 1 else label.long()).masked_fill(ignored, 0)
    if pred.shape[1] > 1 and label.is_floating_point() and ((known != label) & ~ignored).any():
        raise InputError(
            f"PixelWeightedLoss: labels hold {label[(known != label) & ~ignored][0]:g}, but {pred.shape[1]} channels "
            'of logits need whole numbers, one class per pixel; interpolate labels by "nearest".'
        )
    low, high = torch.aminmax(known)
    if not (low >= 0 and high <= classes - 1):  # also where they are NaN
        raise InputError(
            f"PixelWeightedLoss: labels run from {low:g} to {high:g}, but {pred.shape[1]} channel(s) of "
            f"logits know the classes 0 to {classes - 1}; turn ids or 0/255 masks into classes first, and give pixels "
            "to ignore the weight 0."
        )
    if pred.shape[1] == 1:
        return binary_cross_entropy_with_logits(pred, known, reduction="none")
    return cross_entropy(pred, known[:, 0], reduction="none")[:, None]
