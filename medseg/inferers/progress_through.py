"""Inferers around another one, whose progress is theirs."""

from __future__ import annotations

from collections.abc import Callable

from monai.inferers import Inferer


class ProgressThroughInferer(Inferer):
    """Base of inferers that run ``inferer``: ``progress`` is the inner inferer's, where it has one.

    Args:
        inferer: what runs the network.
    """

    def __init__(self, inferer: Inferer) -> None:
        super().__init__()
        self.inferer = inferer

    @property
    def progress(self) -> Callable[[int, int], None] | None:
        """The inner inferer's callback of (tiles done, tiles in all); each of its runs counts anew."""
        return getattr(self.inferer, "progress", None)

    @progress.setter
    def progress(self, callback: Callable[[int, int], None] | None) -> None:
        if hasattr(self.inferer, "progress"):
            self.inferer.progress = callback
