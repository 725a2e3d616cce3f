"""Labels with a weight for each pixel, as one target."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import torch
from torch import Tensor

from medseg.errors import InputError


def labels_and_weights(
    target: Mapping[str, Tensor], label_key: str, weight_key: str, loss: str
) -> tuple[Tensor, Tensor]:
    """The two entries of a target that is a mapping, as ``PrepareWeightedBatch`` hands it over.

    Raises:
        InputError: one of them is missing; ``loss`` is named as the one that needs it.
    """
    for key in (label_key, weight_key):
        if key not in target:
            raise InputError(f"{loss}: the target has no {key!r}, only {', '.join(map(repr, target))}.")
    return target[label_key], target[weight_key]


def check_weights(weight: Tensor, logits: Tensor, loss: str) -> None:
    """Refuse weights that are negative, infinite, NaN or not one per pixel.

    Raises:
        InputError: see above; ``loss`` is named.
    """
    check_one_per_pixel("weights", weight, logits, loss)
    low, high = torch.aminmax(weight.float())
    if not (low >= 0 and high < inf):  # also where it is NaN
        raise InputError(f"{loss}: weights run from {low:g} to {high:g}, but must not be negative, infinite or NaN.")


def check_one_per_pixel(name: str, values: Tensor, logits: Tensor, loss: str) -> None:
    """Refuse ``values`` that are not ``(B, 1, *spatial)`` of the logits, or of no pixel.

    Raises:
        InputError: another shape, an empty one; ``name`` and ``loss`` are named.
    """
    expected = (logits.shape[0], 1, *logits.shape[2:])
    if tuple(values.shape) != expected:
        what_to_do = "give one number per pixel, with a channel axis of 1 (values[:, None]), not one-hot."
        if values.ndim == len(expected) and tuple(values.shape[:2]) == expected[:2]:
            what_to_do = (
                "a network of unpadded convolutions returns less than its input, so crop labels and weights to the "
                "centre (CenterSpatialCropd)."
            )
        raise InputError(
            f"{loss}: {name} have shape {tuple(values.shape)}, but logits of shape {tuple(logits.shape)} need "
            f"{expected}; {what_to_do}"
        )
    check_not_empty(values, loss)


def check_not_empty(values: Tensor, loss: str) -> None:
    """Refuse a target without a pixel: its mean loss would be NaN.

    Raises:
        InputError: see above; ``loss`` is named.
    """
    if values.numel() == 0:
        raise InputError(f"{loss}: a target of shape {tuple(values.shape)} has no pixel; leave such a batch out.")
