"""The progress bar of training."""

from __future__ import annotations

import math
import sys
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from chainrule.training.callbacks import Callback, Progress

DELAY = 1.0  # seconds before a bar appears that nobody asked for


class ProgressBar(Callback):
    """A bar of epochs with loss, learning rate and the time left, on standard error.

    Parameters
    ----------
    wanted : bool, optional
        ``True``: always. ``None``: on a terminal, once training has taken a second.
    console : rich.console.Console, optional
        Where to draw. Default: standard error.
    """

    def __init__(self, wanted: bool | None = True, console: Console | None = None) -> None:
        self.wanted = wanted
        self.console = console
        self._bars: Bars | None = None
        self._begin = 0.0

    def on_train_begin(self, progress: Progress) -> None:
        """Start the clock."""
        self._begin, self._bars = perf_counter(), None

    def on_epoch_end(self, progress: Progress) -> None:
        """Move the bar, or open it when it is time."""
        if self._bars is None:
            if not self.wanted and perf_counter() - self._begin < DELAY:
                return
            self._open(progress)
        if self._bars is not None:
            self._bars.update(
                self._bars.task_ids[0],
                completed=progress.epoch,
                total=progress.max_epochs,  # a time budget plans anew while training goes on
                text=_text(progress),
            )

    def on_train_end(self, progress: Progress) -> None:
        """Take the bar down."""
        if self._bars is not None:
            self._bars.stop()

    def _open(self, progress: Progress) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=self.console or Console(stderr=True),
        )
        self._bars.add_task(progress.solver, total=progress.max_epochs, text="")
        self._bars.start()


def progress_bars(wanted: bool | None) -> list[Callback]:
    """The bar to use for a ``progress_bar`` option: none where nobody would see it."""
    if wanted or (wanted is None and sys.stderr.isatty()):
        return [ProgressBar(wanted)]
    return []


def _text(progress: Progress) -> str:
    row = progress.history[-1]
    parts = [f"loss {row['loss']:.4g}"]
    if not math.isnan(row["validation_score"]):
        parts.append(f"score {row['validation_score']:.4g}")
    if not math.isnan(row["learning_rate"]):
        parts.append(f"rate {row['learning_rate']:.2g}")
    return "  ".join(parts)
