"""Hand the weight map of a batch to the loss, in MONAI's own trainer."""

from __future__ import annotations

from typing import Any

import torch
from monai.engines import PrepareBatch
from monai.utils import CommonKeys

from medseg.errors import InputError


class PrepareWeightedBatch(PrepareBatch):
    """``prepare_batch`` of a MONAI trainer whose target holds label and weight, for ``PixelWeightedLoss``.

    In a bundle: ``"prepare_batch": {"_target_": "medseg.training.weighted_batch.PrepareWeightedBatch"}`` and
    ``"loss_function": {"_target_": "medseg.losses.PixelWeightedLoss"}``. The engine then keeps
    ``{"label": …, "weight": …}`` as its label; validation needs no weights and MONAI's default there.

    Args:
        image_key, label_key, weight_key: entries of the batch dictionary.
    """

    def __init__(
        self, image_key: str = CommonKeys.IMAGE, label_key: str = CommonKeys.LABEL, weight_key: str = "weight"
    ) -> None:
        self.image_key, self.label_key, self.weight_key = image_key, label_key, weight_key

    def __call__(
        self,
        batchdata: dict[str, torch.Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return ``(image, {label_key: label, weight_key: weight})`` on ``device``.

        Raises:
            InputError: the batch lacks one of the keys.
        """
        missing = [k for k in (self.image_key, self.label_key, self.weight_key) if k not in batchdata]
        if missing:
            raise InputError(
                f"PrepareWeightedBatch: the batch has no {missing[0]!r}, only "
                f"{', '.join(map(repr, batchdata))}; add the weights in the preprocessing, for example with "
                "medseg.transforms.BorderWeightMapd."
            )
        image, label, weight = (
            batchdata[key].to(device=device, non_blocking=non_blocking, **kwargs)
            for key in (self.image_key, self.label_key, self.weight_key)
        )
        return image, {self.label_key: label, self.weight_key: weight}
