"""From single fits to the table, the geometric means of ratios, and the bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.tables.contenders import CONTENDERS
from benchmarks.tables.sets import SETS

Key = tuple[str, int, str]
"""Set, seed, contender."""

Results = dict[Key, dict[str, Any]]
"""What the worker printed."""


@dataclass(frozen=True)
class Bar:
    """Ours may have at most ``most`` times what ``peer`` has, in the geometric mean.

    The measure "time" is CPU seconds where each fit had one thread, else seconds on the clock.
    """

    measure: str
    peer: str
    most: float


BARS = (
    Bar("error", "pytabkit", 1.01),
    Bar("log_loss", "pytabkit", 0.90),
    Bar("time", "pytabkit", 0.20),
    Bar("error", "sklearn-mlp", 0.75),
    Bar("error", "boosting", 0.97),
    Bar("log_loss", "boosting", 1.10),
    Bar("time", "td-s", 1.50),
)
OURS = "td"


def ratio(results: Results, measure: str, peer: str, ours: str = OURS) -> tuple[float, int]:
    """The geometric mean of ours ÷ the peer's over sets (each the mean of its seeds), and of how
    many fits."""
    by_set: dict[str, list[float]] = {}
    for (name, seed, contender), found in results.items():
        other = results.get((name, seed, peer), {})
        if contender == ours and measure in found and measure in other:
            by_set.setdefault(name, []).append(np.log(found[measure] / other[measure]))
    if not by_set:
        return float("nan"), 0
    mean = np.mean([np.mean(ratios) for ratios in by_set.values()])
    return float(np.exp(mean)), sum(map(len, by_set.values()))


def sets_table(results: Results) -> Table:
    """A line for each set and contender: means over the seeds."""
    table = Table(title="means over the seeds", title_justify="left", title_style="bold")
    for head in ("set", "contender", "seeds", "error", "log-loss", "fit", "CPU", "peak memory"):
        table.add_column(head, justify="left" if head in ("set", "contender") else "right")
    for name in SETS:
        present = [one for one in CONTENDERS if any((name, one) == key[::2] for key in results)]
        best = min((_mean(results, name, one, "error") for one in present), default=0.0)
        for place, one in enumerate(present):
            error = _mean(results, name, one, "error")
            loss = _mean(results, name, one, "log_loss")
            seeds = sum((name, one) == key[::2] for key in results)
            table.add_row(
                name if place == 0 else "",
                CONTENDERS[one].title,
                str(seeds),
                f"[bold]{error:.4f}[/]" if error == best else f"{error:.4f}",
                "" if np.isnan(loss) else f"{loss:.4f}",
                f"{_mean(results, name, one, 'seconds'):.1f} s",
                f"{_mean(results, name, one, 'cpu_seconds'):.1f} s",
                f"{_mean(results, name, one, 'peak_mb'):,.0f} MB",
                end_section=place == len(present) - 1,
            )
    return table


def _mean(results: Results, name: str, contender: str, measure: str) -> float:
    values = [
        found[measure]
        for (one, _, who), found in results.items()
        if (one, who) == (name, contender) and measure in found
    ]
    return float(np.mean(values)) if values else float("nan")


def means_table(results: Results) -> Table:
    """Geometric means of ratios: ours (td) divided by each other's."""
    title = f"{CONTENDERS[OURS].title} ÷ the other, geometric means over sets"
    table = Table(title=title, title_justify="left", title_style="bold")
    heads = ("the other", "fits", "error", "log-loss", "fit time", "CPU time", "peak memory")
    measures = ("error", "log_loss", "seconds", "cpu_seconds", "peak_mb")
    for head in heads:
        table.add_column(head, justify="left" if head == "the other" else "right")
    for peer, contender in CONTENDERS.items():
        if peer == OURS:
            continue
        fits = ratio(results, "error", peer)[1]
        cells = [ratio(results, measure, peer)[0] for measure in measures]
        shown = ["" if np.isnan(cell) else f"{cell:.3f}" for cell in cells]
        table.add_row(contender.title, *([str(fits), *shown] if fits else ["not measured"]))
    return table


def verdicts(results: Results) -> list[tuple[Bar, float, bool]]:
    """Each bar, what was reached, and whether it is met; not measured is not met."""
    alone = all(found["threads"] == 1 for found in results.values())
    measures = {"time": "cpu_seconds" if alone else "seconds"}
    reached = [
        (bar, ratio(results, measures.get(bar.measure, bar.measure), bar.peer)[0]) for bar in BARS
    ]
    return [(bar, value, bool(value <= bar.most)) for bar, value in reached]
