"""Keep a pretrained encoder as it is while the decoder finds its feet."""

from __future__ import annotations

from typing import Any

from ignite.engine import Engine, Events
from torch import nn

from medseg.training.parameter_groups import encoder_of


class FreezeEncoder:
    """Handler that freezes ``network.encoder`` for the first epochs and trains it afterwards.

    Frozen means no gradients (optimisers skip it, weight decay included) and batch normalisation in evaluation
    mode, so that its statistics stay too. What holds in an epoch depends on the epoch's number alone, so a
    resumed run continues as the unbroken one. With ``DistributedDataParallel`` set
    ``find_unused_parameters=True``.

    Args:
        network: has an attribute ``encoder``.
        freeze_epochs: number of epochs; 0 never freezes.

    Raises:
        ValueError: a network without encoder, a negative number.
    """

    def __init__(self, network: nn.Module, freeze_epochs: int) -> None:
        if freeze_epochs < 0:
            raise ValueError(f"freeze_epochs {freeze_epochs} must not be negative")
        self.encoder, self.freeze_epochs = encoder_of(network), freeze_epochs
        self._hook: Any = None

    def attach(self, engine: Engine) -> None:
        """Register with the trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)
        engine.add_event_handler(Events.COMPLETED, lambda _: self.unfreeze())
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._unfreeze_and_raise)

    def __call__(self, engine: Engine) -> None:
        """Freeze or unfreeze for the epoch that starts."""
        if engine.state.epoch <= self.freeze_epochs:
            self.freeze()
        else:
            self.unfreeze()

    def freeze(self) -> None:
        """Stop training the encoder."""
        if self._hook is None:
            self.encoder.requires_grad_(False)
            for parameter in self.encoder.parameters():
                parameter.grad = None  # a gradient of zero would still be decayed
            # MONAI's trainer calls network.train() in each iteration, after all events in front of it
            self._hook = self.encoder.register_forward_pre_hook(lambda module, _: module.eval() and None)

    def unfreeze(self) -> None:
        """Train the encoder."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
            self.encoder.requires_grad_(True).train()

    def _unfreeze_and_raise(self, engine: Engine, error: Exception) -> None:
        self.unfreeze()
        raise error
