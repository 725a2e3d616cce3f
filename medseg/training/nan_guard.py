"""Stop training at a loss that is not a number, and say which files it came from."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys, ImageMetaKey
from torch import nn

from medseg.errors import InputWarning

_MOST_IN_A_ROW = 20


class NanGuard:
    """Handler of a MONAI trainer: raise when the loss is NaN or infinite, before it reaches the weights.

    Gradients that are not finite although the loss is are dropped with a warning: that step changes no weight. In
    bfloat16 oneDNN makes some, at random, of feature maps of one or two pixels (convolutions with stride 2, or in 3D).
    With MONAI's ``amp`` its scaler drops them.

    Args:
        keys: entries of the batch whose files are named.

    In a bundle: ``{"_target_": "medseg.training.nan_guard.NanGuard"}`` among the trainer's handlers.
    """

    def __init__(self, keys: Iterable[str] = (CommonKeys.IMAGE, CommonKeys.LABEL)) -> None:
        self.keys = (keys,) if isinstance(keys, str) else tuple(keys)
        self.dropped_in_a_row = 0

    def attach(self, engine: Engine) -> None:
        """Check each loss of ``engine`` before the backward pass, and the gradients after it."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self.check_gradients)

    def __call__(self, engine: Engine) -> None:
        """Check the loss of the present iteration.

        Raises:
            FloatingPointError: it is not finite; the message names epoch, iteration and files of the batch.
        """
        loss = torch.as_tensor(engine.state.output[CommonKeys.LOSS])
        if torch.isfinite(loss).all():
            return
        files = list(dict.fromkeys(name for key in self.keys for name in _files(engine.state.batch, key)))
        raise FloatingPointError(
            f"The loss became {loss.detach().float().mean():g} in epoch {engine.state.epoch}, iteration "
            f"{engine.state.iteration}, before the weights were changed by it. Files of the batch: "
            f"{', '.join(files) or 'not known (the batch carries no file names)'}. Look for NaN or extreme "
            "values in them; if they are sound, lower the learning rate or switch mixed precision off."
        )

    def check_gradients(self, engine: Engine) -> None:
        """Drop the gradients of the present iteration where they are not finite.

        Raises:
            FloatingPointError: they were not finite in 20 iterations in a row.
        """
        parameters = [p for p in engine.network.parameters() if p.grad is not None]
        if engine.amp or torch.isfinite(nn.utils.get_total_norm([p.grad for p in parameters], torch.inf)):
            self.dropped_in_a_row = 0
            return
        self.dropped_in_a_row += 1
        where = f"epoch {engine.state.epoch}, iteration {engine.state.iteration}"
        advice = "Take larger patches, or switch mixed precision off."
        if self.dropped_in_a_row >= _MOST_IN_A_ROW:
            raise FloatingPointError(
                f"The gradients were NaN or infinite {_MOST_IN_A_ROW} times in a row, last in {where}, though the loss "
                f"was not. {advice}"
            )
        warnings.warn(
            f"The gradients became NaN or infinite in {where}: no weight was changed. {advice}", InputWarning, 2
        )
        for parameter in parameters:
            parameter.grad = None


def _files(batch: Any, key: str) -> list[str]:
    if isinstance(batch, list | tuple):
        return [name for item in batch for name in _files(item, key)]
    image = batch.get(key) if isinstance(batch, Mapping) else None
    if not isinstance(image, MetaTensor):
        return []
    names = image.meta.get(ImageMetaKey.FILENAME_OR_OBJ, [])
    return [names] if isinstance(names, str) else [str(name) for name in names]
