"""Whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import DataError, OptionError, ShapeError, describe
from chainrule.pictures.style import axes_or_new, in_style


def said_and_came(
    y_true: Any, probabilities: Any, classes: Sequence[Any] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What was said, a probability a row, and whether it came true.

    Of two classes the probability of the second; of more that of the class predicted.
    """
    y, p = np.asarray(y_true), np.asarray(probabilities, dtype=np.float64)
    if y.ndim != 1 or p.shape[:1] != y.shape or p.ndim > 2 or not len(y):
        expected = "one label and (classes,) probabilities a row, at least one row"
        raise ShapeError(describe("y_true, probabilities", expected, f"{y.shape}, {p.shape}"))
    if not np.all((p >= 0) & (p <= 1)):
        raise DataError(describe("probabilities", "numbers from 0 to 1", f"{p.min()} … {p.max()}"))
    width = 2 if p.ndim == 1 else p.shape[1]
    labels = list(np.unique(y) if classes is None else classes)
    if len(labels) != width:
        expected = f"{width}, one a column of the probabilities"
        raise ShapeError(describe("classes", expected, len(labels)))
    if width == 2:
        return (p if p.ndim == 1 else p[:, 1]), y == labels[1]
    best = p.argmax(axis=1)
    predicted = np.asarray(labels, dtype=y.dtype if y.dtype.kind != "O" else object)[best]
    return p.max(axis=1), y == predicted


def plot_calibration(
    y_true: Any,
    probabilities: Any,
    ax: Axes | None = None,
    *,
    classes: Sequence[Any] | None = None,
    bins: int = 10,
    title: str | None = None,
) -> Axes:
    """Of all rows for which 0.8 was said, how many came true: on the diagonal 80 %.

    Parameters
    ----------
    y_true : array of shape (rows,)
    probabilities : array of shape (rows,) or (rows, classes)
        Of two classes that of the second is judged; of more, that of the class predicted.
    ax : Axes, optional
    classes : sequence, optional
        The classes in the order of the columns. Default: those of ``y_true``, sorted.
    bins : int
        Parts of 0 … 1 that are judged together; bars below show how many rows each has.
    title : str, optional
        Default: the expected calibration error, Σ rows/all · |said − came|.

    Returns
    -------
    Axes
        Vertical lines are 95 % intervals (Wilson 1927).
    """
    if bins < 1:
        raise OptionError(describe("bins", "an integer ≥ 1", bins))
    said, came = said_and_came(y_true, probabilities, classes)
    place = np.minimum((said * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    n = counts[filled]
    x = np.bincount(place, weights=said, minlength=bins)[filled] / n
    y = np.bincount(place, weights=came, minlength=bins)[filled] / n
    error = float(np.sum(n * np.abs(x - y)) / n.sum())
    low, high = wilson(y, n)
    with in_style(ax) as look:
        ax = axes_or_new(ax, 6.8, 4.8)
        edges = np.arange(bins) / bins
        bars = 0.16 * counts / counts.max()
        ax.bar(edges, bars, 1 / bins, align="edge", color=look.rule, edgecolor=look.paper)
        diagonal: dict[str, Any] = {"color": look.quiet, "linestyle": (0, (4, 3)), "linewidth": 1.1}
        ax.plot([0, 1], [0, 1], **diagonal, label="perfect")
        ax.vlines(x, low, high, color=look.blue, linewidth=1.2, alpha=0.6)
        ax.plot(x, y, "o-", color=look.blue, markersize=5, label="observed")
        most = int(counts.max())
        ax.plot([], [], "s", color=look.rule, label=f"rows (tallest bar: {most:,})")
        ax.set_xlim(-0.01, 1.01)
        ax.set_ylim(-0.01, 1.01)
        ax.set_aspect("equal")
        ax.set_xlabel("probability that was said")
        ax.set_ylabel("share that came true")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)
        ax.grid(True)
        ax.tick_params(length=0)
        ax.set_title(f"Calibration: expected error {error:.3f}" if title is None else title)
    return ax


def wilson(share: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """The interval in which a share of n rows lies with 95 % (Wilson 1927)."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return middle - half, middle + half
