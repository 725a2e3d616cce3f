"""The topological warping error over batches, for MONAI's evaluation loops."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from monai.handlers import IgniteMetricHandler
from monai.metrics import CumulativeIterationMetric

from medseg.errors import InputError
from medseg.kernels.mismatches import CLASSES
from medseg.metrics.foreground import as_array
from medseg.metrics.image_pair import ImagePair
from medseg.metrics.warping import CHALLENGE_THRESHOLDS, effective_thresholds, sweep_of
from medseg.metrics.warping_score import WarpingError, summarise


class WarpingErrorMetric(CumulativeIterationMetric):
    """Topological warping error of batches ``(B, C, Y, X)`` or ``(B, C, Z, Y, X)``.

    ``y_pred`` and ``y`` are what :func:`medseg.metrics.warping.topological_warping_error` takes, each channel
    an image of its own. Counts are buffered, not values, so that ``aggregate`` can treat all images as one
    stack: with the challenge's sweep the minimum is taken after summing. The error is defined for every
    image, so none is ever left out of a mean.

    Args:
        threshold: one level or several; default: the challenge's sweep (masks and labels: 0 only).
        radius: window of the split test in pixels; None = whole image.
        volumetric: ``(Z, Y, X)`` is one volume instead of a stack of sections.
        include_background: False leaves out the first channel.
        reduction: "stack" (all images are one stack, as in the challenge), "mean" of the images' own errors,
            or "none": a ``(B, C)`` tensor of them.
    """

    def __init__(
        self,
        threshold: float | Sequence[float] | None = None,
        radius: int | None = 20,
        volumetric: bool = False,
        include_background: bool = True,
        reduction: Literal["stack", "mean", "none"] = "stack",
    ) -> None:
        super().__init__()
        _check_reduction(reduction)
        self.thresholds = None if threshold is None else effective_thresholds(threshold)
        self.radius = radius
        self.volumetric = volumetric
        self.include_background = include_background
        self.reduction = reduction

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **_: Any) -> torch.Tensor:
        """Counts ``int64 (B, C, thresholds, 2 * 7 + 1)``: pixels and clusters per class code, image size."""
        if y is None:
            raise InputError("the topological warping error needs a reference y beside y_pred")
        if y_pred.shape != y.shape:
            raise InputError(f"y_pred has shape {tuple(y_pred.shape)} but y {tuple(y.shape)}")
        if y.ndim not in (4, 5):
            raise InputError(f"expected (B, C, Y, X) or (B, C, Z, Y, X), got shape {tuple(y.shape)}")
        first = 0 if self.include_background else 1
        if y.shape[1] <= first:
            raise InputError(f"shape {tuple(y.shape)} has no channel beside the background to compare")
        return torch.stack(
            [
                torch.stack([self._count(p, t) for p, t in zip(ps[first:], ts[first:], strict=True)])
                for ps, ts in zip(y_pred, y, strict=True)
            ]
        )

    def _count(self, y_pred: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        pair = ImagePair.of(
            as_array(y_pred, "prediction"),
            as_array(y, "reference"),
            None,
            radius=self.radius,
            volumetric=self.volumetric,
        )
        thresholds = self.thresholds or sweep_of(pair.prediction_kind)
        counts = torch.from_numpy(pair.count(thresholds)).flatten(1)
        counts = torch.cat([counts, torch.full((len(counts), 1), y.numel())], dim=1)
        # A mask looks the same at every level of the sweep that other images of the epoch may need.
        return counts.expand(len(self.thresholds or CHALLENGE_THRESHOLDS), -1)

    def aggregate(self, reduction: Literal["stack", "mean", "none"] | None = None) -> torch.Tensor:
        """Reduce the buffered images, ``float64``: a scalar, or ``(B, C)`` for "none".

        Raises:
            ValueError: nothing was buffered.
            InputError: an unknown reduction.
        """
        reduction = _check_reduction(reduction or self.reduction)
        if reduction == "stack":
            return torch.tensor(self.result().value, dtype=torch.float64)
        counts = self._buffered()
        each = [[self._summary(image).value for image in channels] for channels in counts]
        errors = torch.tensor(each, dtype=torch.float64)
        return errors if reduction == "none" else errors.mean()

    def result(self) -> WarpingError:
        """Everything about all buffered images as one stack: value, classes, sweep."""
        return self._summary(self._buffered().sum(dim=(0, 1)))

    def _buffered(self) -> torch.Tensor:
        counts = self.get_buffer()
        if counts is None:
            raise ValueError("no image has been compared yet: call the metric before aggregate()")
        return counts

    def _summary(self, counts: torch.Tensor) -> WarpingError:
        by_class = counts[:, :-1].reshape(-1, 2, len(CLASSES) + 1).cpu().numpy()
        return summarise(by_class, int(counts[0, -1]), self.thresholds or CHALLENGE_THRESHOLDS)


def _check_reduction(reduction: str) -> str:
    if reduction not in ("stack", "mean", "none"):
        raise InputError(f'reduction {reduction!r} is unknown; use "stack", "mean" or "none"')
    return reduction


class WarpingErrorHandler(IgniteMetricHandler):
    """Ignite handler of :class:`WarpingErrorMetric`; the details saved are each image's own errors.

    Args:
        output_transform: from the engine's output to ``(y_pred, y)``, as in MONAI's handlers.
        save_details: keep the errors ``(B, C)`` of the images in ``engine.state.metric_details``.
        metric_options: arguments of :class:`WarpingErrorMetric`.
    """

    def __init__(
        self,
        output_transform: Callable = lambda output: output,
        save_details: bool = True,
        **metric_options: Any,
    ) -> None:
        metric = WarpingErrorMetric(**metric_options)
        super().__init__(metric_fn=metric, output_transform=output_transform, save_details=save_details)

    def compute(self) -> Any:
        """Value of the run; details go to the engine's state."""
        value = super().compute()
        if self.save_details:
            self._engine.state.metric_details[self._name] = self.metric_fn.aggregate(reduction="none")
        return value
