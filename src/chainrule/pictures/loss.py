"""Loss over iterations or epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from chainrule.errors import DataError, ShapeError, describe
from chainrule.pictures.style import Look, axes_or_new, in_style, plain, short
from chainrule.training.history import History

DASHES = ("-", (0, (7, 1.5)), (0, (1, 1.2)))
VALIDATION = (0, (4, 2))


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
        The losses as numbers, or what holds them; several by label. A history that has losses of
        a validation shows them dashed.
    ax : Axes, optional
        Default: a new one.
    title, xlabel : str

    Returns
    -------
    Axes
    """
    with in_style(ax) as look:
        curves = loss_curves(history, look)
        ax = axes_or_new(ax, 7.2, 4.0)
        draw_curves(ax, curves)
        ax.set_title(title)
        ax.set_xlabel(xlabel)
        ax.set_ylabel("loss")
        _scale(ax, curves)
        label_ends(ax, curves)
    return ax


@dataclass(frozen=True, eq=False)
class Curve:
    """One line: its label, its numbers from iteration 1, its colour and dashes."""

    label: str
    values: np.ndarray
    colour: str
    dashes: Any = "-"

    @property
    def last(self) -> int:
        """The place of the last finite value."""
        return int(np.flatnonzero(np.isfinite(self.values))[-1])


def loss_curves(history: Any, look: Look) -> list[Curve]:
    """A curve for each history, and a dashed one for its validation loss where there is one."""
    curves = []
    for i, (label, one) in enumerate(named(history).items()):
        colour, dashes = look.colour(i), DASHES[i // len(look.colours) % len(DASHES)]
        losses, held = numbers_of(label, one, "loss"), _validation(one)
        said = label or ("training" if held is not None else "")
        curves.append(Curve(said, losses, colour, dashes))
        if held is not None:
            said = f"{label}, validation" if label else "validation"
            curves.append(Curve(said, held, colour, VALIDATION))
    return curves


def named(history: Any) -> dict[str, Any]:
    """What was given, by label; one history has none."""
    found = dict(history) if isinstance(history, Mapping) else {"": history}
    if not found:
        raise DataError(describe("history", "at least one loss curve", "none"))
    return {str(label): one for label, one in found.items()}


def history_of(one: Any) -> Any:
    """The history that ``one`` holds or is, or numbers."""
    return getattr(one, "history_", getattr(one, "loss_curve_", one))


def numbers_of(label: str, one: Any, column: str) -> np.ndarray:
    """That column of a history, or the numbers given in its place."""
    one = history_of(one)
    if isinstance(one, History):
        one = one[column]
    where = f"{column.replace('_', ' ')} curve" + (f" {label!r}" if label else "")
    try:
        values = np.asarray(one, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(describe(where, "numbers", type(one).__name__)) from None
    if values.ndim != 1:
        raise ShapeError(describe(where, "one loss an iteration", f"shape {values.shape}"))
    if not np.isfinite(values).any():
        came = f"{values.size} numbers"
        raise DataError(describe(where, f"at least one finite {column.split('_')[-1]}", came))
    return values


def _validation(one: Any) -> np.ndarray | None:
    one = history_of(one)
    if not isinstance(one, History):
        return None
    values = np.asarray(one["validation_loss"], dtype=np.float64)
    return values if np.isfinite(values).any() else None


def draw_curves(ax: Axes, curves: Sequence[Curve]) -> None:
    """The lines with a dot at the end of each, over iterations."""
    for one in curves:
        steps = np.arange(1, len(one.values) + 1)
        style: dict[str, Any] = {"color": one.colour, "linestyle": one.dashes}
        ax.plot(steps, one.values, label=one.label or None, **style)
        end = [steps[one.last]], [one.values[one.last]]
        ax.plot(*end, "o", markersize=4.5, color=one.colour, clip_on=False)
    ax.set_xlim(0, max(len(one.values) for one in curves))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.grid(True, axis="y")
    ax.tick_params(length=0)


def _scale(ax: Axes, curves: Sequence[Curve]) -> None:
    finite = np.concatenate([one.values[np.isfinite(one.values)] for one in curves])
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


def label_ends(ax: Axes, curves: Sequence[Curve]) -> None:
    """Each label beside the end of its line, moved up or down where two would meet.

    A faint line leads to it from where a shorter curve ends.
    """
    labelled = [one for one in curves if one.label]
    if not labelled:
        return
    ends = np.array([one.values[one.last] for one in labelled])
    scale = np.log if ax.get_yscale() == "log" else np.asarray
    low, high = scale(ax.get_ylim())
    heights = (scale(ends) - low) / (high - low)
    right = ax.get_xlim()[1]
    for one, height in zip(labelled, spread(heights, 0.065), strict=True):
        style: dict[str, Any] = {
            "transform": ax.transAxes,
            "color": one.colour,
            "va": "center",
            "weight": "bold",
        }
        plain([ax.text(1.015, height, short(one.label), **style)])
        if one.last + 1 < right:
            end = one.values[one.last]
            ax.hlines(end, one.last + 1, right, one.colour, ":", linewidth=1, alpha=0.6)


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
