"""A curve that grows while training runs: drawn in a notebook, a line of text on a terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any, TextIO

from chainrule.graph.markup import Markup, tag
from chainrule.training.callbacks import Callback, Progress
from chainrule.training.curves import curves_svg

BARS = "▁▂▃▄▅▆▇█"
COLUMNS = 40


class LiveCurve(Callback):
    """Shows loss and score as they come: ``fit`` with ``callbacks=[LiveCurve()]``.

    Parameters
    ----------
    every : float
        Seconds between two pictures at least, so that drawing costs little.
    file : text stream, optional
        Where the text goes outside notebooks. Default: standard error.
    """

    def __init__(self, every: float = 0.2, file: TextIO | None = None) -> None:
        self.every = every
        self.file = file
        self._update: Callable[[Progress], None] | None = None
        self._shown = 0.0

    def on_train_begin(self, progress: Progress) -> None:
        """Find out where to draw."""
        show = notebook_display()
        self._update = self._text if show is None else _Cell(show)
        self._shown = -math.inf

    def on_epoch_end(self, progress: Progress) -> None:
        """Draw, if the last picture is old enough."""
        if self._update is not None and perf_counter() - self._shown >= self.every:
            self._update(progress)
            self._shown = perf_counter()

    def on_train_end(self, progress: Progress) -> None:
        """Draw the end; text ends its line."""
        if self._update is None:
            return
        self._update(progress)
        if not isinstance(self._update, _Cell):
            print(file=self.file or sys.stderr, flush=True)
        self._update = None

    def _text(self, progress: Progress) -> None:
        file = self.file or sys.stderr
        print(f"\r{text_line(progress)}", end="", file=file, flush=True)


class _Cell:
    """One place in a notebook's output that is drawn anew each time."""

    def __init__(self, show: Callable[..., Any]) -> None:
        self.show = show
        self.handle: Any = None

    def __call__(self, progress: Progress) -> None:
        # as a bundle: nothing of IPython is needed but its display function
        bundle = {"text/html": live_html(progress), "text/plain": text_line(progress)}
        if self.handle is None:
            self.handle = self.show(bundle, raw=True, display_id=True)
        elif hasattr(self.handle, "update"):
            self.handle.update(bundle, raw=True)


def notebook_display() -> Callable[..., Any] | None:
    """IPython's ``display`` where a notebook is listening, else ``None``; imports nothing new."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return sys.modules["IPython.display"].display


def live_html(progress: Progress) -> Markup:
    """Where training stands: the curve, and its numbers in a line."""
    history = progress.history
    if not len(history):
        return tag("div", "training begins …", class_="chainrule-live")
    return tag(
        "div",
        curves_svg(history.columns),
        tag("div", text_line(progress, bars=False), style="font-size:90%;opacity:.8"),
        class_="chainrule-live",
    )


def text_line(progress: Progress, bars: bool = True) -> str:
    """``adam 12/200 ▇▅▃▂ loss 0.31``: everything in a line."""
    history = progress.history
    where = f"{progress.solver} {progress.epoch}/{progress.max_epochs}"
    if not len(history):
        return where
    row = history[-1]
    parts = [where, *([sparkline(history["loss"])] if bars else []), f"loss {row['loss']:.4g}"]
    if not math.isnan(row["validation_score"]):
        parts.append(f"score {row['validation_score']:.4g}")
    return "  ".join(parts)


def sparkline(values: list[float]) -> str:
    """The values as a row of blocks, the lowest ▁, at most 40 of them; gaps where not finite."""
    stride = max(1, math.ceil(len(values) / COLUMNS))
    shown = values[::-1][::stride][::-1]
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BARS[round((value - low) * scale)] if math.isfinite(value) else " " for value in shown
    )
