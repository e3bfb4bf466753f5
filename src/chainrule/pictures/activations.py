"""Activation functions and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import OptionError, describe
from chainrule.networks import ACTIVATIONS
from chainrule.ops import REGISTRY
from chainrule.pictures.style import Look, axes_or_new, bare, in_style

LECTURE = ("sigmoid", "tanh", "relu")
GAP = 0.06


def plot_activations(
    names: Sequence[str] = LECTURE,
    ax: Axes | None = None,
    *,
    limits: tuple[float, float] = (-5.0, 5.0),
    title: str = "Activation functions",
) -> Axes:
    """f (blue) and f′ (orange, dashed) for each name, side by side in panels of one Axes.

    Parameters
    ----------
    names : sequence of str
        Among ``chainrule.networks.ACTIVATIONS``. Default: those of the lecture.
    ax : Axes, optional
    limits : tuple of float
        The net inputs shown.
    title : str

    Returns
    -------
    Axes
        Its panels are ``ax.child_axes``, one a name.
    """
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in ACTIVATIONS:
            raise OptionError(describe("activation", f"one of {', '.join(ACTIVATIONS)}", name))
    if not names or not limits[0] < limits[1]:
        came = f"{len(names)} names, limits {limits}"
        raise OptionError(describe("activations", "at least one name, limits in order", came))
    columns = min(len(names), 4)
    rows = -(-len(names) // columns)
    with in_style(ax) as look:
        ax = axes_or_new(ax, 2.5 * columns + 0.3, 2.45 * rows + 0.55)
        bare(ax)
        ax.set_title(title, pad=26)
        for i, name in enumerate(names):
            _draw_panel(ax, look, name, i, rows, columns, limits)
    return ax


def _draw_panel(
    ax: Axes,
    look: Look,
    name: str,
    i: int,
    rows: int,
    columns: int,
    limits: tuple[float, float],
) -> None:
    row, column = divmod(i, columns)
    width = (1 - GAP * (columns - 1)) / columns
    height = (1 - 2 * GAP * (rows - 1)) / rows
    left, bottom = column * (width + GAP), 1 - height - row * (height + 2 * GAP)
    panel = ax.inset_axes((left, bottom, width, height))
    s = np.linspace(*limits, 401)
    y, slope = value_and_derivative(name, s)
    panel.axhline(0, color=look.rule, linewidth=0.9)
    panel.axvline(0, color=look.rule, linewidth=0.9)
    jumps = np.flatnonzero(np.abs(np.diff(slope)) > 0.1)
    slope[jumps] = np.nan  # a gap: no slope lies between the two sides of a corner
    panel.plot(s, y, color=look.blue, linewidth=2.0, label="f(s)")
    panel.plot(s, slope, color=look.orange, linestyle=(0, (4, 1.6)), linewidth=1.5, label="f′(s)")
    panel.set_title(name, loc="left", size=10, pad=5)
    panel.set_xlim(*limits)
    panel.tick_params(length=0)
    panel.locator_params(nbins=5)
    if i == 0:
        panel.legend(frameon=False, loc="upper left", labelcolor="linecolor", handlelength=1.4)
    if row == rows - 1:
        panel.set_xlabel("net input s", color=look.quiet)


def value_and_derivative(name: str, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(s) and f′(s), by the forward and the backward rule of the operation itself."""
    operation = REGISTRY[name]()
    y = operation.forward(s)
    slope = operation.backward(np.ones_like(s), s, y)[0]
    return y, np.asarray(slope)
