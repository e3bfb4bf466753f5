"""What a regression said against what was true."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import DataError, ShapeError, describe
from chainrule.pictures.style import axes_or_new, in_style

MOST = 2000
"""So many rows are drawn at most, spread evenly over the data."""


def plot_predictions(
    y_true: Any, y_pred: Any, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """A dot a row; on the diagonal the prediction is right.

    Parameters
    ----------
    y_true, y_pred : array of shape (rows,)
    ax : Axes, optional
    title : str, optional
        Default: R² and the root of the mean square error.

    Returns
    -------
    Axes
    """
    y, p = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    if y.ndim != 1 or y.shape != p.shape or not len(y):
        came = f"{y.shape} and {p.shape}"
        raise ShapeError(describe("y_true and y_pred", "one number a row in both", came))
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise DataError(describe("y_true and y_pred", "finite numbers", "NaN or infinity"))
    error = float(np.sqrt(np.mean((y - p) ** 2)))
    spread = float(np.sum((y - y.mean()) ** 2))
    said = f"R² {1 - np.sum((y - p) ** 2) / spread:.3f}, " if spread > 0 else ""
    both = np.concatenate([y, p])
    margin = 0.05 * float(np.ptp(both)) or 1.0
    limits = both.min() - margin, both.max() + margin
    picked = np.linspace(0, len(y) - 1, min(len(y), MOST)).astype(int)
    with in_style(ax) as look:
        ax = axes_or_new(ax, 5.2, 4.8)
        ax.plot(limits, limits, color=look.quiet, linestyle=(0, (4, 3)), linewidth=1.1)
        strength = float(np.clip(60 / np.sqrt(len(picked)) / 4, 0.25, 0.9))
        dots: dict[str, Any] = {"markersize": 4, "alpha": strength, "markeredgewidth": 0}
        ax.plot(y[picked], p[picked], "o", color=look.blue, **dots)
        ax.set_xlim(*limits)
        ax.set_ylim(*limits)
        ax.set_aspect("equal")
        ax.set_xlabel("true")
        ax.set_ylabel("predicted")
        ax.grid(True)
        ax.tick_params(length=0)
        ax.set_title(f"{said}root mean square error {error:.3g}" if title is None else title)
    return ax
