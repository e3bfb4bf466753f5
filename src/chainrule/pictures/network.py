"""A network as neurons and weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from chainrule.errors import OptionError, ShapeError, describe
from chainrule.pictures.layer import matrices_of
from chainrule.pictures.style import Look, axes_or_new, bare, in_style, plain, short

STEP = 3.0  # from layer to layer, in units of the distance between neurons
RADIUS = 0.32


def plot_network(
    model: Any,
    ax: Axes | None = None,
    *,
    limit: int = 10,
    inputs: Sequence[Any] | None = None,
    outputs: Sequence[Any] | None = None,
    title: str | None = None,
) -> Axes:
    """A circle a neuron, a line a weight: blue above 0, orange below, as thick as it is large.

    Parameters
    ----------
    model : fitted estimator, or list of weights W of shape (inputs, units)
    ax : Axes, optional
    limit : int
        Of a larger layer the first ``limit`` − 1 neurons are drawn, and how many there are.
    inputs, outputs : sequence, optional
        Names of the columns and of the outputs. Default: those that the model knows.
    title : str, optional

    Returns
    -------
    Axes
    """
    if limit < 2:
        raise OptionError(describe("limit", "an integer ≥ 2", limit))
    weights = matrices_of(model)
    for number, (one, following) in enumerate(pairwise(weights), start=1):
        if one.shape[1] != following.shape[0]:
            where = f"weights of layer {number + 1}"
            raise ShapeError(describe(where, f"{one.shape[1]} inputs", following.shape[0]))
    sizes = [weights[0].shape[0], *(one.shape[1] for one in weights)]
    names = _names(model, inputs, outputs, sizes)
    with in_style(ax) as look:
        columns = [_places(size, limit) for size in sizes]
        reach = max(float(np.max(np.abs(places))) for places in columns) + 0.9
        sides = [0.8 + 0.17 * max((len(short(n)) for n in one or ()), default=0) for one in names]
        left, right = -sides[0], STEP * (len(sizes) - 1) + sides[1]
        ax = axes_or_new(ax, 0.42 * (right - left), 0.42 * (2 * reach + 0.6) + 0.4)
        bare(ax)
        for number, W in enumerate(weights):
            _draw_weights(ax, look, W, columns[number], columns[number + 1], number)
        for number, (size, places) in enumerate(zip(sizes, columns, strict=True)):
            _draw_neurons(ax, look, number, size, places, -reach, number == len(weights))
        _write_names(ax, look, names, columns)
        ax.set_ylim(-reach - 0.6, reach)
        ax.set_xlim(left, right)
        ax.set_aspect("equal")
        ax.set_title(title or "Network " + "-".join(map(str, sizes)))
    return ax


Names = tuple[list[Any] | None, list[Any] | None]


def _names(model: Any, inputs: Any, outputs: Any, sizes: list[int]) -> Names:
    """Names of inputs and outputs: given, or those the model knows where they fit."""
    known = list(getattr(model, "feature_names_in_", [])) or None
    classes = list(getattr(model, "classes_", [])) or None
    found = []
    for what, given, own, size in (
        ("inputs", inputs, known, sizes[0]),
        ("outputs", outputs, classes, sizes[-1]),
    ):
        if given is not None and len(given) != size:
            raise ShapeError(describe(what, f"{size} names", len(given)))
        fits = own is not None and len(own) == size
        found.append(list(given) if given is not None else own if fits else None)
    return found[0], found[1]


def _places(size: int, limit: int) -> np.ndarray:
    """Heights of the neurons that are drawn, from the top, around 0."""
    shown = size if size <= limit else limit - 1
    places = (shown - 1) / 2 - np.arange(shown, dtype=float)
    return places if size <= limit else places + 0.75


def _draw_weights(
    ax: Axes, look: Look, W: np.ndarray, left: np.ndarray, right: np.ndarray, number: int
) -> None:
    largest = float(np.abs(W).max()) or 1.0
    shown = W[: len(left), : len(right)] / largest
    order = np.argsort(np.abs(shown), axis=None)  # the strongest on top
    i, j = np.unravel_index(order, shown.shape)
    x = STEP * number
    starts = np.column_stack([np.full(len(i), x), left[i]])
    ends = np.column_stack([np.full(len(j), x + STEP), right[j]])
    strength = shown[i, j]
    colours = look.diverging(0.5 + 0.5 * np.sign(strength) * np.sqrt(np.abs(strength)))
    segments = np.stack([starts, ends], axis=1)
    widths = 0.3 + 2.7 * np.abs(strength)
    ax.add_collection(LineCollection(list(segments), colors=colours, linewidths=widths, zorder=1))


def _draw_neurons(
    ax: Axes, look: Look, number: int, size: int, places: np.ndarray, foot: float, last: bool
) -> None:
    x = np.full(len(places), STEP * number)
    edge = look.quiet if number == 0 else look.ink
    style: dict[str, Any] = {
        "facecolor": look.paper,
        "edgecolor": edge,
        "linewidth": 1.2,
        "zorder": 2,
    }
    for a, b in zip(x, places, strict=True):
        ax.add_patch(Circle((a, b), RADIUS, **style))
    if size > len(places):
        dots = float(places[-1]) - 0.62 - 0.22 * np.arange(3)
        ax.plot([STEP * number] * 3, dots, ".", color=look.quiet, markersize=3)
    role = "hidden"
    if number == 0 or last:
        role = ("input" if number == 0 else "output") + "s" * (size > 1)
    below: dict[str, Any] = {"ha": "center", "va": "top", "size": 8.5, "color": look.quiet}
    ax.text(STEP * number, foot, f"{size:,} {role}", **below)


def _write_names(ax: Axes, look: Look, names: Names, columns: list[np.ndarray]) -> None:
    sides = ((names[0], columns[0], -0.5, "right"), (names[1], columns[-1], 0.5, "left"))
    for given, places, dx, side in sides:
        x = 0.0 if side == "right" else STEP * (len(columns) - 1)
        for name, y in zip(given or (), places, strict=False):
            style: dict[str, Any] = {"ha": side, "va": "center", "size": 8.5, "color": look.ink}
            plain([ax.text(x + dx, y, short(name), **style)])
