"""One neuron beside the nerve cell that it is named after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, Polygon

from chainrule.errors import OptionError, ShapeError, describe
from chainrule.networks import ACTIVATIONS
from chainrule.pictures.activations import value_and_derivative
from chainrule.pictures.style import Look, axes_or_new, bare, in_style, plain, short

GAP = 1.15  # between two inputs


def plot_neuron(
    weights: Sequence[float],
    bias: float = 0.0,
    inputs: Sequence[float] | None = None,
    ax: Axes | None = None,
    *,
    activation: str = "sigmoid",
    names: Sequence[str] | None = None,
    title: str = "A nerve cell and a neuron",
) -> Axes:
    """net = Σ w·x + b, output = f(net), with numbers; to its left the cell it is named after.

    Parameters
    ----------
    weights : sequence of float
        One for each input, 6 at most.
    bias : float
    inputs : sequence of float, optional
        Values of the inputs; with them net input and output are computed.
    ax : Axes, optional
    activation : str
        f, one of ``chainrule.networks.ACTIVATIONS``.
    names : sequence of str, optional
        Of the inputs. Default: x1, x2, …
    title : str

    Returns
    -------
    Axes
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 1 or not 1 <= len(w) <= 6:
        raise ShapeError(describe("weights", "1 to 6 numbers", f"shape {w.shape}"))
    for what, given in (("inputs", inputs), ("names", names)):
        if given is not None and len(given) != len(w):
            raise ShapeError(describe(what, f"{len(w)}, one a weight", len(given)))
    if activation not in ACTIVATIONS:
        raise OptionError(describe("activation", f"one of {', '.join(ACTIVATIONS)}", activation))
    called = [f"x{i}" for i in range(1, len(w) + 1)] if names is None else list(names)
    with in_style(ax) as look:
        ax = axes_or_new(ax, 10.4, 4.05)
        bare(ax)
        _cell(ax, look)
        x = None if inputs is None else np.asarray(inputs, dtype=np.float64)
        _neuron(ax, look, w, bias, x, called, activation)
        ax.set_xlim(-0.4, 15.6)
        ax.set_ylim(-3.2, 2.5)
        ax.set_aspect("equal")
        ax.set_title(title)
    return ax


def _cell(ax: Axes, look: Look) -> None:
    """Dendrites, cell body, axon and its endings, in outline."""
    t = np.linspace(0, 2 * np.pi, 181)
    radius = 0.72 + 0.1 * np.cos(5 * t + 0.4)
    body = np.column_stack([2.0 + radius * np.cos(t), radius * np.sin(t)])
    branches: dict[str, Any] = {"color": look.colour(2), "solid_capstyle": "round"}
    for angle in (2.0, 2.6, 3.3, 3.9, 4.5):
        x, y = _branch(2.0, 0.0, angle, 1.75)
        ax.plot(x, y, linewidth=3.0, **branches)
        for side in (-0.55, 0.45):
            ax.plot(*_branch(x[-14], y[-14], angle + side, 0.8), linewidth=1.6, **branches)
    along = np.linspace(0, 1, 60)
    axon = 2.6 + 3.0 * along, 0.12 * np.sin(5 * along)
    ax.plot(*axon, color=look.colour(2), linewidth=3.4, solid_capstyle="round")
    for angle in (-0.7, 0.0, 0.7):
        x, y = _branch(5.6, axon[1][-1], angle, 0.75)
        ax.plot(x, y, linewidth=1.8, **branches)
        ax.plot(x[-1:], y[-1:], "o", color=look.colour(2), markersize=5)
    shape: dict[str, Any] = {
        "facecolor": look.paper,
        "edgecolor": look.colour(2),
        "linewidth": 2.4,
        "zorder": 3,
    }
    ax.add_patch(Polygon(body, closed=True, **shape))
    ax.add_patch(Circle((2.05, 0.05), 0.24, color=look.colour(2), alpha=0.5, zorder=4))
    quiet: dict[str, Any] = {"color": look.quiet, "size": 9, "ha": "center"}
    ax.text(1.3, -2.65, "dendrites\ntake signals in", va="center", **quiet)
    ax.text(3.0, 1.45, "cell body\nadds them up", va="center", **quiet)
    ax.text(4.5, -0.85, "axon\npasses a signal on", va="center", **quiet)


def _branch(x: float, y: float, angle: float, length: float) -> tuple[np.ndarray, np.ndarray]:
    along = np.linspace(0, 1, 40) * length
    bent = angle + 0.25 * np.sin(3 * along)
    return x + along * np.cos(bent), y + along * np.sin(bent)


def _neuron(
    ax: Axes,
    look: Look,
    w: np.ndarray,
    bias: float,
    x: np.ndarray | None,
    names: list[str],
    activation: str,
) -> None:
    heights = GAP * ((len(w) - 1) / 2 - np.arange(len(w)))
    heights *= min(1.0, 4.4 / max(GAP * (len(w) - 1), 1e-9))
    middle, largest = (11.1, 0.0), float(np.abs(w).max()) or 1.0
    for i, (weight, height) in enumerate(zip(w, heights, strict=True)):
        share = weight / largest
        colour = look.diverging(0.5 + 0.5 * np.sign(share) * np.sqrt(abs(share)))
        start = (8.75, float(height))
        ax.add_patch(_arrow(start, _rim(start, middle), colour, 0.8 + 2.6 * abs(share)))
        value = "" if x is None else f" = {x[i]:g}"
        plain([ax.text(8.6, height, short(names[i]) + value, ha="right", va="center", size=10)])
        at = (start[0] + 0.36 * (middle[0] - start[0]), height * 0.64)
        frame: dict[str, Any] = {
            "boxstyle": "round,pad=0.12",
            "facecolor": look.paper,
            "edgecolor": "none",
        }
        ax.text(*at, f"{weight:g}", ha="center", va="center", size=8.5, bbox=frame)
    ax.add_patch(Circle(middle, 0.62, facecolor=look.paper, edgecolor=look.ink, linewidth=1.5))
    ax.text(*middle, "Σ", ha="center", va="center", size=15)
    ax.text(11.1, -0.85, f"bias {bias:+g}", ha="center", va="top", size=8.5, color=look.quiet)
    ax.add_patch(_arrow((11.72, 0), (12.6, 0), look.ink, 1.2))
    _curve(ax, look, activation, (13.2, 0.0))
    ax.add_patch(_arrow((13.85, 0), (14.75, 0), look.ink, 1.2))
    ax.text(13.2, -0.85, activation, ha="center", va="top", size=8.5, color=look.quiet)
    if x is None:
        ax.text(14.85, 0, "output", ha="left", va="center", size=9)
        formula = f"net input = Σ w·x + b,  output = {activation}(net input)"
    else:
        net = float(w @ x + bias)
        y = float(value_and_derivative(activation, np.array([net]))[0][0])
        ax.text(14.85, 0, f"{y:.3g}", ha="left", va="center", size=11, weight="bold")
        formula = f"net input = Σ w·x + b = {net:.4g},  output = {activation}({net:.4g}) = {y:.4g}"
    ax.text(11.3, -3.0, formula, ha="center", va="center", size=9.5)


def _rim(start: tuple[float, float], middle: tuple[float, float]) -> tuple[float, float]:
    """Where the way from ``start`` to the middle of a circle meets its rim."""
    way = np.subtract(start, middle)
    x, y = middle + 0.66 * way / np.linalg.norm(way)
    return float(x), float(y)


def _arrow(
    start: tuple[float, float], end: tuple[float, float], colour: object, width: float
) -> FancyArrowPatch:
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 9, "shrinkA": 0, "shrinkB": 0}
    return FancyArrowPatch(start, end, color=colour, linewidth=width, zorder=1, **style)


def _curve(ax: Axes, look: Look, activation: str, place: tuple[float, float]) -> None:
    """The activation function, small, in its circle."""
    ax.add_patch(Circle(place, 0.62, facecolor=look.paper, edgecolor=look.ink, linewidth=1.5))
    s = np.linspace(-4, 4, 81)
    y = value_and_derivative(activation, s)[0]
    y = (y - y.min()) / (float(np.ptp(y)) or 1.0)
    ax.plot(place[0] + 0.1 * s, place[1] + 0.6 * (y - 0.5), color=look.blue, linewidth=1.8)
