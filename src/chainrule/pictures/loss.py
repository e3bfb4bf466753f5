"""Loss over iterations or epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from chainrule.errors import DataError, ShapeError, describe
from chainrule.pictures.style import COLOURS, axes_or_new, in_style
from chainrule.training.history import History

DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)))


def plot_loss(
    history: Any,
    ax: Axes | None = None,
    *,
    title: str = "Loss while training",
    xlabel: str = "iteration",
) -> Axes:
    """Loss against the iteration, from 1, with a logarithmic scale where it is positive.

    Parameters
    ----------
    history : array, History, fitted estimator, or mapping of labels to any of them
        The losses as numbers, or what holds them; several by label.
    ax : Axes, optional
        Default: a new one.
    title, xlabel : str

    Returns
    -------
    Axes
    """
    curves = _curves(history)
    with in_style():
        ax = axes_or_new(ax, 7.2, 4.0)
        for i, (label, losses) in enumerate(curves.items()):
            _draw(ax, losses, label, COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % 3])
        ax.set_title(title)
        ax.set_xlabel(xlabel)
        ax.set_ylabel("loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        ax.grid(True, axis="y")
        ax.tick_params(length=0)
        _scale(ax, curves)
        if set(curves) != {""}:
            _label_ends(ax, curves)
            _lead_to_labels(ax, curves)
    return ax


def _curves(history: Any) -> dict[str, np.ndarray]:
    named = dict(history) if isinstance(history, Mapping) else {"": history}
    if not named:
        raise DataError(describe("history", "at least one loss curve", "none"))
    return {str(label): _curve(str(label), one) for label, one in named.items()}


def _curve(label: str, one: Any) -> np.ndarray:
    one = getattr(one, "history_", getattr(one, "loss_curve_", one))
    if isinstance(one, History):
        one = one["loss"]
    where = f"loss curve {label!r}" if label else "loss curve"
    try:
        losses = np.asarray(one, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(describe(where, "numbers", type(one).__name__)) from None
    if losses.ndim != 1:
        raise ShapeError(describe(where, "one loss an iteration", f"shape {losses.shape}"))
    if not np.isfinite(losses).any():
        raise DataError(describe(where, "at least one finite loss", f"{losses.size} numbers"))
    return losses


def _draw(ax: Axes, losses: np.ndarray, label: str, colour: str, dashes: Any) -> None:
    steps = np.arange(1, len(losses) + 1)
    ax.plot(steps, losses, color=colour, linestyle=dashes, label=label or None)
    last = np.flatnonzero(np.isfinite(losses))[-1]
    ax.plot([steps[last]], [losses[last]], "o", markersize=4.5, color=colour, clip_on=False)


def _scale(ax: Axes, curves: dict[str, np.ndarray]) -> None:
    finite = np.concatenate([losses[np.isfinite(losses)] for losses in curves.values()])
    low, high = finite.min(), finite.max()
    if low > 0:
        ax.set_yscale("log")
        fine = (
            (1.0,) if high / low > 300 else (1.0, 3.0) if high / low > 10 else (1, 1.5, 2, 3, 5, 7)
        )
        ax.yaxis.set_major_locator(LogLocator(subs=fine))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        ax.set_ylim(low / (high / low) ** 0.05 / 1.02, high * (high / low) ** 0.05 * 1.02)
    else:
        margin = 0.05 * (high - low) or 0.05
        ax.set_ylim(low - margin, high + margin)
    ax.set_xlim(0, max(len(losses) for losses in curves.values()))


def _label_ends(ax: Axes, curves: dict[str, np.ndarray]) -> None:
    """Each label beside the end of its line, moved up or down where two would meet."""
    ends = np.array([losses[np.isfinite(losses)][-1] for losses in curves.values()])
    positive = ax.get_yscale() == "log"
    low, high = np.log(ax.get_ylim()) if positive else np.array(ax.get_ylim())
    heights = ((np.log(ends) if positive else ends) - low) / (high - low)
    for i, (label, height) in enumerate(zip(curves, spread(heights, 0.065), strict=True)):
        ax.text(
            1.015,
            height,
            label,
            transform=ax.transAxes,
            color=COLOURS[i % len(COLOURS)],
            va="center",
            weight="bold",
        )


def _lead_to_labels(ax: Axes, curves: dict[str, np.ndarray]) -> None:
    """A faint line from where a shorter curve ends to its label."""
    right = ax.get_xlim()[1]
    for i, losses in enumerate(curves.values()):
        last = int(np.flatnonzero(np.isfinite(losses))[-1])
        if last + 1 < right:
            colour = COLOURS[i % len(COLOURS)]
            ax.hlines(losses[last], last + 1, right, colour, ":", linewidth=1, alpha=0.6)


def spread(heights: np.ndarray, gap: float) -> np.ndarray:
    """``heights`` moved as little as needed to lie at least ``gap`` apart, order kept.

    Heights that meet become a group, evenly spaced around its mean.
    """
    order = np.argsort(heights, kind="stable")
    groups: list[list[float]] = []
    for height in np.asarray(heights, dtype=float)[order]:
        groups.append([height])
        while len(groups) > 1 and _foot(groups[-1], gap) - _top(groups[-2], gap) < gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    placed = [_foot(group, gap) + gap * i for group in groups for i in range(len(group))]
    result = np.empty(len(heights))
    result[order] = placed
    return result


def _foot(group: list[float], gap: float) -> float:
    return float(np.mean(group)) - gap * (len(group) - 1) / 2


def _top(group: list[float], gap: float) -> float:
    return float(np.mean(group)) + gap * (len(group) - 1) / 2
