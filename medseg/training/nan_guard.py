"""Stop training at a loss that is not a number, and say which files it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys, ImageMetaKey


class NanGuard:
    """Handler of a MONAI trainer: raise when the loss is NaN or infinite, before it reaches the weights.

    Args:
        keys: entries of the batch whose files are named.

    In a bundle: ``{"_target_": "medseg.training.nan_guard.NanGuard"}`` among the trainer's handlers.
    """

    def __init__(self, keys: Iterable[str] = (CommonKeys.IMAGE, CommonKeys.LABEL)) -> None:
        self.keys = (keys,) if isinstance(keys, str) else tuple(keys)

    def attach(self, engine: Engine) -> None:
        """Check each loss of ``engine`` between the forward and the backward pass."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

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


def _files(batch: Any, key: str) -> list[str]:
    if isinstance(batch, list | tuple):
        return [name for item in batch for name in _files(item, key)]
    image = batch.get(key) if isinstance(batch, Mapping) else None
    if not isinstance(image, MetaTensor):
        return []
    names = image.meta.get(ImageMetaKey.FILENAME_OR_OBJ, [])
    return [names] if isinstance(names, str) else [str(name) for name in names]
