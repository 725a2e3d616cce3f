"""MONAI metrics in which all images of an epoch are one stack."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.metrics import CumulativeIterationMetric

from medseg.errors import InputError, InputWarning
from medseg.metrics.foreground import as_array

Reduction = Literal["stack", "mean", "none"]


class StackMetric(CumulativeIterationMetric):
    """Base of the metrics that buffer sums per image and read the value off the sums of all images.

    Images come as `(B, C, *spatial)`, each channel an image of its own, or as lists of `(C, *spatial)`. One-hot
    classes, as MONAI's metrics want them, are warned of: their background would count as an image too.
    `aggregate` returns a float64 scalar; `undefined` then says how many sections or volumes had nothing to
    compare and are not part of the value, so that none is lost unseen.

    Args:
        reduction: `"stack"`: all images are one stack; `"mean"` of the values of the images in which it is
            defined; `"none"`: `(B, C)`, NaN where undefined. Another word is a `ValueError`.
    """

    def __init__(self, reduction: Reduction = "stack") -> None:
        super().__init__()
        _check_reduction(reduction)
        self.reduction = reduction

    @abstractmethod
    def _sums(self, prediction: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Numbers of one image `(levels, k)`; adding them joins images. The last is the undefined units."""

    @abstractmethod
    def _value(self, sums: np.ndarray) -> float:
        """The value that sums `(levels, k)` stand for."""

    def _value_of_image(self, sums: np.ndarray) -> float:
        """The value of one image, NaN where it has nothing to compare."""
        return self._value(sums)

    @property
    def undefined(self) -> int:
        """Sections or volumes so far in which the value is undefined."""
        return int(self._buffered()[..., 0, -1].sum())

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **_: Any) -> torch.Tensor:
        if y is None or y_pred.shape != y.shape:
            shape = "nothing" if y is None else tuple(y.shape)
            raise InputError(f"y_pred and y must have one shape; got {tuple(y_pred.shape)} and {shape}")
        if y.ndim < 4:
            raise InputError(f"expected (B, C, Y, X) or (B, C, Z, Y, X), got the shape {tuple(y.shape)}")
        if y.shape[1] > 1 and _is_one_hot(as_array(y, "reference")):
            warnings.warn(
                f"{type(self).__name__}: y is one-hot, exactly one of its {y.shape[1]} channels is 1 in every pixel, "
                "but here each channel is an image of its own, the background too; give the channels that hold objects "
                "(y_pred[:, 1:], y[:, 1:]), or label images (B, 1, *spatial)",
                InputWarning,
                stacklevel=2,
            )
        images = [
            [self._sums(as_array(p, "prediction"), as_array(t, "reference")) for p, t in zip(ps, ts, strict=True)]
            for ps, ts in zip(y_pred, y, strict=True)
        ]
        return torch.from_numpy(np.asarray(images, np.float64))

    def aggregate(self, reduction: Reduction | None = None) -> torch.Tensor:
        """Reduce the buffered images to a scalar, or to `(B, C)` for "none".

        Raises:
            ValueError: nothing was buffered, or an unknown reduction.
        """
        reduction = reduction or self.reduction
        _check_reduction(reduction)
        sums = self._buffered()
        if reduction == "stack":
            return torch.tensor(self._value(sums.sum(axis=(0, 1))), dtype=torch.float64)
        values = torch.tensor([[self._value_of_image(s) for s in channels] for channels in sums], dtype=torch.float64)
        return values if reduction == "none" else values.nanmean()

    def _buffered(self) -> np.ndarray:
        sums = self.get_buffer()
        if sums is None:
            raise ValueError("no image has been compared yet: call the metric before aggregate()")
        return sums.cpu().numpy()


def _is_one_hot(channels: np.ndarray) -> bool:
    return bool((np.count_nonzero(channels, axis=1) == 1).all() and channels.max() == 1)


def _check_reduction(reduction: str) -> None:
    if reduction not in get_args(Reduction):
        raise ValueError(f'reduction {reduction!r} is not known; use "stack", "mean" or "none"')


def at_every_level(rows: Sequence[Sequence[float]], levels: int) -> np.ndarray:
    """Rows of numbers as an array; a single row (mask, labels: no threshold) is repeated for each level."""
    array = np.asarray(rows, np.float64)
    return np.broadcast_to(array, (levels, array.shape[1])) if len(array) == 1 else array
