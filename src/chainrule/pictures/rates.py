"""Loss against learning rate: what the learning-rate finder saw, and the rate that it suggests."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from chainrule.errors import DataError, WrongTypeError, describe
from chainrule.pictures.style import Look, axes_or_new, in_style
from chainrule.training.finder import RateFinder

ROOM = 2.0  # times the loss at the start: what lies higher has left the picture


def plot_learning_rates(
    found: Any, ax: Axes | None = None, *, title: str = "Loss at growing learning rates"
) -> Axes:
    """Loss of each batch against its learning rate, on a logarithmic scale; the suggestion marked.

    Parameters
    ----------
    found : RateFinder
        What ``find_learning_rate`` gave.
    ax : Axes, optional
        Default: a new one.
    title : str

    Returns
    -------
    Axes
    """
    if not isinstance(found, RateFinder):
        came = type(found).__name__
        raise WrongTypeError(
            describe("found", "the result of find_learning_rate", came, "Call it on the model.")
        )
    if not np.isfinite(found.smoothed).any():
        raise DataError(describe("found", "at least one finite loss", f"{found.losses.size} rates"))
    with in_style(ax) as look:
        ax = axes_or_new(ax, 7.2, 4.0)
        ax.plot(found.rates, found.losses, ".", markersize=3.5, color=look.quiet, alpha=0.6)
        ax.plot(found.rates, found.smoothed, color=look.blue, label="running mean")
        _mark(ax, look, found)
        ax.set_title(title)
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss of a batch")
        ax.set_xscale("log")
        ax.set_xlim(found.rates[0], found.rates[-1])
        ax.set_ylim(*_limits(found))
        ax.xaxis.set_major_locator(LogLocator())
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        ax.grid(True, axis="y")
        ax.tick_params(length=0)
    return ax


def _mark(ax: Axes, look: Look, found: RateFinder) -> None:
    """The suggestion: a line, a point on the curve, and its number beside it."""
    height = float(np.interp(found.suggestion, found.rates, found.smoothed))
    ax.axvline(found.suggestion, color=look.orange, linewidth=1.2, linestyle=(0, (4, 2)))
    ax.plot([found.suggestion], [height], "o", markersize=6, color=look.orange)
    start, end = np.log(found.rates[[0, -1]])
    left = np.log(found.suggestion) > (start + end) / 2
    ax.annotate(
        f"suggestion {found.suggestion:.2g}",
        (found.suggestion, 0.96),
        xycoords=("data", "axes fraction"),
        xytext=(-6 if left else 6, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        color=look.orange,
        weight="bold",
    )


def _limits(found: RateFinder) -> tuple[float, float]:
    """From a little below the least loss to above the start; an explosion leaves the picture."""
    smoothed = found.smoothed[np.isfinite(found.smoothed)]
    low = float(np.nanmin(np.where(np.isfinite(found.losses), found.losses, np.nan)))
    first = float(smoothed[0])
    top = min(float(smoothed.max()), max(ROOM * first, first + 0.5 * (first - low)))
    margin = 0.06 * (top - low) or 0.05
    return low - margin, top + margin
