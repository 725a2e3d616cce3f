"""Inferers around another one, which reports the progress."""

from __future__ import annotations

from collections.abc import Callable

from monai.inferers import Inferer


def report_share(inferer: Inferer, report: Callable[[int, int], None] | None, number: int, count: int) -> None:
    """Let an inferer that can report its progress do so as run ``number`` of ``count``."""
    if report is not None and hasattr(inferer, "progress"):
        inferer.progress = lambda done, tiles: report(number * tiles + done, count * tiles)


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
