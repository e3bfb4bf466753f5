"""The progress bar of training on rows that lie elsewhere: rows per second, and what happened."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from chainrule.cluster.faults import LOGGER
from chainrule.training.callbacks import Callback, Progress

Told = Callable[[int], None]
"""Is told of so many rows that were read or worked on."""


class RowsBar(Callback):
    """A bar of the rows of the epoch or evaluation under way, on standard error.

    Call it with a number of rows whenever so many have been worked on.

    Parameters
    ----------
    wanted : bool, optional
        ``None``: on a terminal.
    console : rich.console.Console, optional
        Default: standard error.
    """

    def __init__(self, wanted: bool | None = True, console: Console | None = None) -> None:
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self.console = console or Console(stderr=True)
        self.rows = 0
        self._begun = perf_counter()
        self._bars: Bars | None = None
        self._handler = Said(self.console)

    def __call__(self, rows: int) -> None:
        """So many more rows."""
        self.rows += rows
        if self._bars is not None:
            self._bars.update(self._task, advance=rows, speed=self.speed)

    @property
    def speed(self) -> str:
        """Rows per second since training began."""
        return f"{self.rows / max(perf_counter() - self._begun, 1e-9):,.0f} rows/s"

    def on_train_begin(self, progress: Progress) -> None:
        """Open the bar."""
        self.rows, self._begun = 0, perf_counter()
        if not self.wanted:
            return
        LOGGER.addHandler(self._handler)
        columns = ("{task.description}", "{task.fields[speed]}", "{task.fields[text]}")
        first, *others = (TextColumn(text) for text in columns)
        self._bars = Bars(first, BarColumn(), *others, console=self.console)
        self._task = self._bars.add_task(progress.solver, total=None, speed="", text="")
        self._bars.start()

    def on_epoch_end(self, progress: Progress) -> None:
        """Say the loss."""
        if self._bars is not None:
            done = f"{progress.solver} {progress.epoch}/{progress.max_epochs}"
            text = f"loss {progress.history[-1]['loss']:.4g}"
            self._bars.update(self._task, description=done, text=text)

    def on_train_end(self, progress: Progress) -> None:
        """Take the bar down; the last line stays."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            LOGGER.removeHandler(self._handler)
            self.console.print(f"{self.rows:,} rows, {self.speed}", highlight=False)


class Said(logging.Handler):
    """What happened to the cluster, as lines above the bar."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self.own = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print it."""
        self.own.print(record.getMessage(), style="yellow", highlight=False, soft_wrap=True)
