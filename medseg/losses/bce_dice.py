"""The U-Net++ loss: half the binary cross-entropy plus soft Dice, averaged over images and heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.losses import DiceLoss
from torch import Tensor, nn
from torch.nn import functional as F

from medseg.errors import InputError

_ROUNDING = 1e-3  # by which interpolated masks may leave the range from 0 to 1


class BCEDiceLoss(nn.Module):
    """``lambda_bce * BCE + lambda_dice * (1 - soft Dice)`` of logits, of one head or the mean over several.

    For probabilities p = sigmoid(logits) and truth y, with sums over the pixels of one channel of one image::

        lambda_bce * mean(-y log p - (1 - y) log(1 - p)) + lambda_dice * (1 - (2 Σ y p + s) / (Σ y + Σ p + s))

    The Dice term is computed for each image and channel by itself, then both terms are averaged over images,
    channels and heads. Channels are independent (sigmoid): objects may have an inside and a border at once. For
    exclusive classes use :class:`monai.losses.DiceCELoss` with ``softmax=True``.

    Args:
        lambda_bce: weight of the cross-entropy, 0.5 in the paper.
        lambda_dice: weight of the Dice term.
        smooth: s above, in pixels; it defines the Dice term of an image without foreground.
        head_weights: one weight for each head in the order the network returns them (deepest first), used in
            place of the plain mean; they need not sum to 1.

    Shapes: logits ``(B, C, *spatial)`` or a list of them, all of the target's size; target of the same shape,
    0 or 1 (or probabilities between), any dtype. The result is a float32 scalar.

    Raises:
        ValueError: shapes that differ, no head at all, another number of heads than of ``head_weights``.
        InputError: a target outside 0 to 1, such as ids or a mask of 0 and 255.

    Source:
        Z. Zhou et al., "UNet++", DLMIA 2018 (arXiv 1807.10165), equation 2.
    """

    def __init__(
        self,
        lambda_bce: float = 0.5,
        lambda_dice: float = 1.0,
        smooth: float = 1.0,
        head_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.lambda_bce, self.lambda_dice = lambda_bce, lambda_dice
        self.head_weights = None if head_weights is None else tuple(head_weights)
        self.dice = DiceLoss(sigmoid=True, smooth_nr=smooth, smooth_dr=smooth)

    def forward(self, logits: Tensor | Sequence[Tensor], target: Tensor) -> Tensor:
        """The loss of one head, or the (weighted) mean of several."""
        heads = [logits] if isinstance(logits, Tensor) else list(logits)
        weights = self._weights(len(heads))
        target = target.to(heads[0].device, torch.float32)
        low, high = torch.aminmax(target)
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also where it is NaN
            raise InputError(
                f"BCEDiceLoss: the target runs from {low:g} to {high:g}, but channels are masks of 0 and 1; turn ids "
                "or 0/255 masks into these first, for example with medseg.transforms.ForegroundAndCoresd."
            )
        losses = torch.stack([self._one_head(head, target) for head in heads])
        return torch.sum(losses * torch.tensor(weights, device=losses.device))

    def _one_head(self, logits: Tensor, target: Tensor) -> Tensor:
        if logits.shape != target.shape:
            raise ValueError(f"logits of shape {tuple(logits.shape)} and a target of shape {tuple(target.shape)}")
        logits = logits.float()
        cross_entropy = F.binary_cross_entropy_with_logits(logits, target)
        return self.lambda_bce * cross_entropy + self.lambda_dice * self.dice(logits, target)

    def _weights(self, heads: int) -> Sequence[float]:
        if heads == 0:
            raise ValueError("the network gave no head at all")
        if self.head_weights is None:
            return [1 / heads] * heads
        if len(self.head_weights) != heads:
            raise ValueError(f"{len(self.head_weights)} head_weights for {heads} heads")
        return self.head_weights
