"""A bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """Where a command says what it is doing; ``quiet`` says errors only."""

    def __init__(self, bar: Any = None, quiet: bool = False) -> None:
        self._bar, self._quiet = bar, quiet
        self._task: Any = None

    def start(self, text: str) -> None:
        """Begin a new item."""
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(text, total=None)

    def announce(self, text: str) -> None:
        """One line of what may take long, where no bar shows it."""
        if self._bar is None:
            self.say(text)

    def update(self, done: int, total: int) -> None:
        """Move the bar of the item; nothing on plain output."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def say(self, text: str) -> None:
        """One line that stays."""
        if not self._quiet:
            self._print(text)

    def fail(self, text: str) -> None:
        """One line on stderr, also when quiet."""
        if self._bar is not None:
            self._bar.stop()
        print(text, file=sys.stderr, flush=True)
        if self._bar is not None:
            self._bar.start()

    def _print(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, flush=True)


@contextmanager
def progress(*, quiet: bool = False, stream: Any = None) -> Iterator[Progress]:
    """Progress for the length of a command."""
    stream = stream or sys.stdout
    if quiet or not stream.isatty():
        yield Progress(quiet=quiet)
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, transient=True) as bar:
        yield Progress(bar)
