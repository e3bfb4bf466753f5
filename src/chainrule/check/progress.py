"""A progress bar for what takes longer than a second, and silence for what does not."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE = 1.0  # seconds


class LateProgress:
    """Counts up to ``total``; shows itself on a terminal once ``PATIENCE`` is over.

    ``show``: True for everywhere and from the start, False for never, None for late and only on a
    terminal.
    """

    def __init__(self, what: str, total: int, show: bool | None) -> None:
        console = Console(stderr=True)
        self._what, self._total, self._done = what, total, 0
        self._wanted = console.is_terminal if show is None else show
        self._late = time.monotonic() + (0.0 if show else PATIENCE)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=show is None,
        )
        self._task = None

    def __enter__(self) -> Self:
        return self

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        if self._task is None and self._wanted and time.monotonic() >= self._late:
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        if self._task is not None:
            self._bar.update(self._task, completed=self._done)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._bar.stop()
