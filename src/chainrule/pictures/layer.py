"""The weights of any layer as a heat map: rows what comes in, columns the units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import DataError, OptionError, ShapeError, describe
from chainrule.pictures.style import axes_or_new, colour_bar, in_style, name_ticks

TICKS = 12
NAMED = 40
"""Up to so many rows or columns get their names."""


def matrices_of(model: Any) -> list[np.ndarray]:
    """The weights of every layer, first layer first: of an estimator, or a list of them.

    Raises
    ------
    DataError, ShapeError
        When there are none, or they are not matrices of numbers.
    """
    if hasattr(model, "parameters_"):
        values = model.parameters_
        names = [name for name in values if re.fullmatch(r"W\d+", name)]
        found = [values[name] for name in sorted(names, key=lambda name: int(name[1:]))]
    elif hasattr(model, "coefs_"):
        found = list(model.coefs_)
    elif hasattr(model, "coef_"):
        found = [np.atleast_2d(model.coef_).T]
    else:
        found = list(model) if isinstance(model, Sequence) else [model]
    arrays = [np.asarray(one) for one in found]
    if not arrays:
        raise DataError(describe("weights", "at least one layer", "none"))
    for number, one in enumerate(arrays, start=1):
        where = f"weights of layer {number}"
        if one.dtype.kind not in "fiu":
            raise DataError(describe(where, "numbers", one.dtype))
        if one.ndim != 2 or not one.size:
            raise ShapeError(describe(where, "shape (inputs, units)", one.shape))
    return arrays


def plot_layer(
    model: Any,
    ax: Axes | None = None,
    *,
    layer: int = 1,
    inputs: Sequence[Any] | None = None,
    units: Sequence[Any] | None = None,
    title: str | None = None,
) -> Axes:
    """W as colours: blue above 0, orange below, the paper where it is 0.

    Parameters
    ----------
    model : fitted estimator, list of weights, or W of shape (inputs, units)
        scikit-learn's ``coefs_`` and ``coef_`` are understood, too.
    ax : Axes, optional
    layer : int
        Which layer, from 1.
    inputs, units : sequence, optional
        Names of rows and columns of W. Shown up to 40 of them.
    title : str, optional

    Returns
    -------
    Axes
        With a bar of the colours' values beside it.
    """
    matrices = matrices_of(model)
    if not 1 <= layer <= len(matrices):
        raise OptionError(describe("layer", f"1 to {len(matrices)}", layer))
    W = matrices[layer - 1].astype(np.float64)
    for name, given, size in (("inputs", inputs, W.shape[0]), ("units", units, W.shape[1])):
        if given is not None and len(given) != size:
            raise ShapeError(describe(name, f"{size} names", len(given)))
    with in_style(ax) as look:
        ax = axes_or_new(ax, *_size(W.shape))
        limit = float(np.abs(W).max()) or 1.0
        image = ax.imshow(
            W, cmap=look.diverging, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest"
        )
        sides: tuple[tuple[Literal["x", "y"], Any, int], ...]
        sides = ("x", units, W.shape[1]), ("y", inputs, W.shape[0])
        for axis, names, size in sides:
            if names is not None and size <= NAMED:
                longest = max(len(str(one)) for one in names)
                name_ticks(ax, axis, names, rotation=90.0 if axis == "x" and longest > 3 else 0.0)
            else:
                set_ticks = ax.set_xticks if axis == "x" else ax.set_yticks
                set_ticks(range(0, size, -(-size // TICKS)))
        ax.tick_params(length=0)
        ax.set_xlabel("unit")
        ax.set_ylabel("input")
        ax.set_title(title or f"Weights of layer {layer}: {W.shape[0]} × {W.shape[1]}")
        colour_bar(ax, image, shrink=0.9).set_label("weight")
    return ax


def _size(shape: tuple[int, ...]) -> tuple[float, float]:
    height = min(max(0.22 * shape[0], 2.2), 6.0) + 0.9
    return min(max(0.32 * shape[1], 3.0), 9.0) + 1.4, height
