"""Hand images and their objects to a detector, in MONAI's own trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.engines import PrepareBatch
from monai.utils import CommonKeys, convert_to_tensor

from medseg.errors import InputError

_Target = dict[str, torch.Tensor]


class PrepareDetectionBatch(PrepareBatch):
    """``prepare_batch`` of a MONAI trainer whose network takes images *and* targets and returns its losses.

    In a bundle the trainer has ``"prepare_batch": {"_target_": "medseg.training.PrepareDetectionBatch"}`` and
    ``"loss_function": {"_target_": "medseg.losses.SumOfLosses"}``, its ``DataLoader``
    ``"collate_fn": "$monai.data.utils.no_collation"``.

    Args:
        image_key, label_key: entries of each item; the label is a dictionary of tensors
            (:class:`medseg.transforms.DetectionTargetd`).
    """

    def __init__(self, image_key: str = CommonKeys.IMAGE, label_key: str = CommonKeys.LABEL) -> None:
        self.image_key, self.label_key = image_key, label_key

    def __call__(
        self,
        batchdata: Sequence[Mapping[str, Any]],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[list[torch.Tensor], list[_Target], tuple[list[_Target]], dict[str, Any]]:
        """Return images ``[(C, *spatial)]`` and targets, the latter also as argument of the network.

        Raises:
            InputError: a collated batch, or a label that is no dictionary.
        """
        if isinstance(batchdata, Mapping):
            raise InputError(
                "PrepareDetectionBatch: the batch is collated, but images have different numbers of objects; give the "
                "DataLoader monai.data.utils.no_collation as collate_fn"
            )
        images, targets = [], []
        for item in batchdata:
            target = item.get(self.label_key)
            if not isinstance(target, Mapping):
                raise InputError(
                    f"PrepareDetectionBatch: {self.label_key!r} of an item is no dictionary of boxes, labels and "
                    "instances; end the preprocessing with medseg.transforms.DetectionTargetd"
                )
            image = convert_to_tensor(item[self.image_key], track_meta=False)
            images.append(image.to(device=device, non_blocking=non_blocking, **kwargs))
            targets.append({key: value.to(device=device, non_blocking=non_blocking) for key, value in target.items()})
        return images, targets, (targets,), {}
