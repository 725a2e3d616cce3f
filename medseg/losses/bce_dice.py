"""The U-Net++ loss: half the binary cross-entropy plus soft Dice, averaged over images and heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from monai.losses import DiceLoss
from monai.utils import CommonKeys
from torch import Tensor, nn
from torch.nn import functional as F

from medseg.errors import InputError
from medseg.losses.weighted_target import check_not_empty, check_weights, labels_and_weights

_ROUNDING = 1e-3  # by which interpolated masks may leave the range from 0 to 1


class BCEDiceLoss(nn.Module):
    """``lambda_bce * BCE + lambda_dice * (1 - soft Dice)`` of logits, of one head or the mean over several.

    For probabilities p = sigmoid(logits) and truth y, with sums over the pixels of one channel of one image::

        lambda_bce * mean(-y log p - (1 - y) log(1 - p)) + lambda_dice * (1 - (2 Σ y p + s) / (Σ y + Σ p + s))

    The Dice term is computed for each image and channel by itself, then both terms are averaged over images,
    channels and heads. Channels are independent (sigmoid): objects may have an inside and a border at once. For
    exclusive classes use :class:`monai.losses.DiceCELoss` with ``softmax=True``.

    With a weight w of each pixel the mean of the cross-entropy becomes ``Σ w · CE / Σ w`` over the batch, as in
    :class:`medseg.losses.PixelWeightedLoss`; the Dice term does not change.

    Args:
        lambda_bce: weight of the cross-entropy, 0.5 in the paper.
        lambda_dice: weight of the Dice term.
        smooth: s above, in pixels; it defines the Dice term of an image without foreground.
        head_weights: one weight for each head in the order the network returns them (deepest first), used in
            place of the plain mean; they need not sum to 1.
        weight_key, label_key: where weight and label are in a target that is a mapping.

    Shapes: logits ``(B, C, *spatial)`` or a list of them, all of the target's size; target of the same shape,
    0 or 1 (or probabilities between), any dtype. Weights ``(B, 1, *spatial)``, 0 or more, by hand as a third argument,
    in a MONAI engine by :class:`medseg.training.PrepareWeightedBatch`. The result is a float32 scalar (float64
    for logits of float64).

    Raises:
        ValueError: shapes that differ, no head at all, another number of heads than of ``head_weights``.
        InputError: a target outside 0 to 1, such as ids or a mask of 0 and 255, or without a pixel; a key that is
            missing; weights of another shape, or below 0, infinite or NaN.

    Source:
        Z. Zhou et al., "UNet++", DLMIA 2018 (arXiv 1807.10165), equation 2.
    """

    def __init__(
        self,
        lambda_bce: float = 0.5,
        lambda_dice: float = 1.0,
        smooth: float = 1.0,
        head_weights: Sequence[float] | None = None,
        weight_key: str = "weight",
        label_key: str = CommonKeys.LABEL,
    ) -> None:
        super().__init__()
        self.lambda_bce, self.lambda_dice = lambda_bce, lambda_dice
        self.weight_key, self.label_key = weight_key, label_key
        self.head_weights = None if head_weights is None else tuple(head_weights)
        self.dice = DiceLoss(sigmoid=True, smooth_nr=smooth, smooth_dr=smooth)

    def forward(
        self,
        logits: Tensor | Sequence[Tensor],
        target: Tensor | Mapping[str, Tensor],
        weight: Tensor | None = None,
    ) -> Tensor:
        """The loss of one head, or the (weighted) mean of several."""
        if isinstance(target, Mapping):
            target, weight = labels_and_weights(target, self.label_key, self.weight_key, "BCEDiceLoss")
        heads = [logits] if isinstance(logits, Tensor) else list(logits)
        head_weights = self._head_weights(len(heads))
        target = target.to(heads[0].device, torch.promote_types(heads[0].dtype, torch.float32))
        check_not_empty(target, "BCEDiceLoss")
        low, high = torch.aminmax(target)
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also where it is NaN
            raise InputError(
                f"BCEDiceLoss: the target runs from {low:g} to {high:g}, but channels are masks of 0 and 1; turn ids "
                "or 0/255 masks into these first, for example with medseg.transforms.ForegroundAndCoresd."
            )
        if weight is not None:
            check_weights(weight, target, "BCEDiceLoss")
            weight = weight.to(target).expand_as(target)
        losses = torch.stack([self._one_head(head, target, weight) for head in heads])
        return torch.sum(losses * torch.tensor(head_weights, device=losses.device))

    def _one_head(self, logits: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        if logits.shape != target.shape:
            raise ValueError(f"logits of shape {tuple(logits.shape)} and a target of shape {tuple(target.shape)}")
        logits = logits.to(target.dtype)
        if weight is None:
            cross_entropy = F.binary_cross_entropy_with_logits(logits, target)
        else:
            # its own argument for weights passes them no gradient
            summed = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight).sum()
            cross_entropy = summed / weight.sum().clamp_min(torch.finfo(weight.dtype).tiny)
        return self.lambda_bce * cross_entropy + self.lambda_dice * self.dice(logits, target)

    def _head_weights(self, heads: int) -> Sequence[float]:
        if heads == 0:
            raise ValueError("the network gave no head at all")
        if self.head_weights is None:
            return [1 / heads] * heads
        if len(self.head_weights) != heads:
            raise ValueError(f"{len(self.head_weights)} head_weights for {heads} heads")
        return self.head_weights
