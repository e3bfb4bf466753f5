"""Models side by side: a table that fills in while they learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

WAITING = Text("·", style="dim")


def table_of_scores(what: str, heads: Sequence[str]) -> Table:
    """An empty table: what is compared at the left, figures under ``heads``."""
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
        pad_edge=False,
        header_style="",
        border_style="dim",
    )
    table.add_column(what, no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", vertical="bottom", no_wrap=True)
    return table


@dataclass
class Line:
    """What is known of one model so far.

    Attributes
    ----------
    name : str
    parameters : int or None
    check : float or None
        Worst relative error of the gradient.
    check_passed : bool
    steps : int or None
        Iterations or epochs made.
    loss, train, test, seconds : float or None
        ``train`` and ``test`` are accuracies, or R² for quantities.
    """

    name: str
    parameters: int | None = None
    check: float | None = None
    check_passed: bool = True
    steps: int | None = None
    loss: float | None = None
    train: float | None = None
    test: float | None = None
    seconds: float | None = None


class Scoreboard:
    """The table, live on a terminal, printed once at the end elsewhere.

    Parameters
    ----------
    console : Console
    names : list of str
        The models in the order in which they will be trained.
    score : str
        What ``train`` and ``test`` are: "accuracy" or "R²".
    """

    def __init__(self, console: Console, names: list[str], score: str = "accuracy") -> None:
        self.console = console
        self.lines = [Line(name) for name in names]
        self.score = score
        self.doing = ""
        self.done, self.total = 0, 0
        self.loss: float | None = None
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()
        started = any(line.seconds is not None for line in self.lines)
        if kind is None or started:
            self.console.print(self.table())

    def announce(self, what: str) -> None:
        """Say what is being done now: checking, reading."""
        self.doing, self.done, self.total, self.loss = what, 0, 0, None

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        """Move the bar."""
        self.doing, self.done, self.total, self.loss = what, done, total, loss

    def render(self) -> RenderableType:
        """The table, and below it what is being done now."""
        return Group(self.table(), self._bar())

    def table(self) -> Table:
        """One row a model; the best test score stands out."""
        heads = ("parameters", "gradient check", "steps", "loss", "train", "test", "time")
        table = table_of_scores("model", heads)
        tests = [line.test for line in self.lines if line.test is not None]
        for line in self.lines:
            best = len(tests) > 1 and line.test == max(tests)
            table.add_row(*self._cells(line, best))
        return table

    def _cells(self, line: Line, best: bool) -> list[Text]:
        score = (lambda x: f"{x:.1%}") if self.score == "accuracy" else (lambda x: f"{x:.3f}")
        return [
            Text(line.name, style="bold"),
            _cell(line.parameters, lambda n: f"{n:,}"),
            _cell(line.check, _mark(line.check_passed)),
            _cell(line.steps, str),
            _cell(line.loss, lambda loss: f"{loss:.4f}"),
            _cell(line.train, score),
            _cell(line.test, score, "bold green" if best else ""),
            _cell(line.seconds, lambda seconds: f"{seconds:.1f} s"),
        ]

    def _bar(self) -> RenderableType:
        if not self.total:
            return Text(f" {self.doing}", style="dim")
        grid = Table.grid(padding=(0, 1))
        steps = Text(f"{self.done}/{self.total}", style="dim")
        loss = Text("" if self.loss is None else f"loss {self.loss:.4f}", style="dim")
        bar = ProgressBar(total=self.total, completed=self.done, width=28)
        grid.add_row(Text(f" {self.doing}"), bar, steps, loss)
        return grid


def _cell(value: object, write: Callable[[Any], str], style: str = "") -> Text:
    return WAITING if value is None else Text(write(value), style=style)


def _mark(passed: bool) -> Callable[[float], str]:
    sign = "✓" if passed else "✗"
    return lambda error: f"{sign} {error:.0e}"
