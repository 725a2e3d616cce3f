"""Validate now and then, and always at the end."""

from __future__ import annotations

from ignite.engine import Engine, Events
from monai.engines import Evaluator
from monai.handlers import ValidationHandler


class EpochValidation(ValidationHandler):
    """MONAI's ``ValidationHandler`` that also runs after the last epoch, whatever the interval.

    The last weights of a schedule that ends at a small rate are often the best; unvalidated they would not be kept.

    Args:
        validator: the evaluator to run.
        interval: epochs from one validation to the next.
    """

    def __init__(self, validator: Evaluator, interval: int) -> None:
        super().__init__(interval=interval, validator=validator)

    def attach(self, engine: Engine) -> None:
        """Register with the trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED(event_filter=self._is_due), self)

    def _is_due(self, engine: Engine, epoch: int) -> bool:
        return epoch % self.interval == 0 or epoch == engine.state.max_epochs
