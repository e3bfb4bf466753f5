"""The loss around where training ended, and the way that led there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from chainrule.errors import OptionError, ShapeError, WrongTypeError, describe
from chainrule.pictures.style import Look, axes_or_new, colour_bar, in_style
from chainrule.training.planes import principal_plane, random_plane, sides


def plot_loss_surface(
    model: Any,
    X: Any,
    y: Any,
    ax: Axes | None = None,
    *,
    theta: Any = None,
    path: Any = None,
    directions: str | None = None,
    span: float = 1.0,
    resolution: int = 25,
    random_state: int = 0,
    title: str = "Loss surface",
) -> Axes:
    """The loss in a plane through θ, as contours; with ``path`` the way of the optimiser on it.

    Parameters
    ----------
    model : fitted estimator or Objective
        Whatever has ``as_objective``; an objective needs ``theta``.
    X, y : array-like
        Rows to compute the loss on; ``resolution`` × ``resolution`` times.
    ax : Axes, optional
    theta : array of shape (parameters,), optional
        The middle. Default: the model's parameters.
    path : ParameterPath or sequence of θ, optional
    directions : {"random", "path"}, optional
        "random": two random directions, each unit's weights as long as its own (Li et al. 2018,
        "filter-wise normalised"; biases stay). "path": the two principal directions of the
        path. Default: "path" where there is one.
    span : float
        How far to look in random directions: 1 is as far as the weights are long.
    resolution : int
        Points in each direction.
    random_state : int
        Of random directions.
    title : str

    Returns
    -------
    Axes
    """
    objective, middle, X, y = _problem(model, X, y, theta)
    thetas = _path(path, middle)
    if directions is None:
        directions = "random" if thetas is None else "path"
    if directions not in ("random", "path") or (directions == "path" and thetas is None):
        expected = '"random", or "path" with a path'
        raise OptionError(describe("directions", expected, repr(directions)))
    if resolution < 3 or not span > 0:
        came = f"{resolution}, {span}"
        raise OptionError(describe("resolution, span", "an integer ≥ 3, a number > 0", came))
    if directions == "path" and thetas is not None:
        plane = principal_plane(thetas, middle)
    else:
        plane = random_plane(objective.vector.unpack(middle), middle, random_state)
    places = None if thetas is None else plane.coordinates(thetas)
    reach = sides(places, span, directions)
    a, b = (np.linspace(low, high, resolution) for low, high in reach)
    with np.errstate(all="ignore"):
        heights = np.array([[objective(plane.point(i, j), X, y)[0] for i in a] for j in b])
    with in_style(ax) as look:
        ax = axes_or_new(ax, 6.0, 4.8)
        _contours(ax, look, a, b, heights)
        if places is not None:
            _way(ax, look, places)
        else:
            ax.plot([0], [0], "*", color=look.orange, markersize=13, markeredgecolor=look.paper)
        ax.set_xlabel(plane.names[0])
        ax.set_ylabel(plane.names[1])
        ax.set_title(title)
        ax.tick_params(length=0)
    return ax


def _problem(model: Any, X: Any, y: Any, theta: Any) -> tuple[Any, np.ndarray, Any, Any]:
    if hasattr(model, "as_objective"):
        objective, own, X, y = model.as_objective(X, y)
        theta = own if theta is None else theta
    elif hasattr(model, "vector"):
        objective = model
    else:
        expected = "an estimator with as_objective, or an Objective"
        raise WrongTypeError(describe("model", expected, type(model).__name__))
    if theta is None:
        raise OptionError(describe("theta", "the middle, for an objective", "none"))
    return objective, objective.vector.check(np.asarray(theta, np.float64)), X, y


def _path(path: Any, theta: np.ndarray) -> np.ndarray | None:
    if path is None:
        return None
    records: Sequence[Any] = getattr(path, "records", path)
    thetas = np.asarray(list(records), dtype=np.float64)
    if thetas.ndim != 2 or thetas.shape[1:] != theta.shape or len(thetas) < 2:
        expected = f"at least two θ of {theta.size} numbers each"
        raise ShapeError(describe("path", expected, f"shape {thetas.shape}"))
    return thetas


def _contours(ax: Axes, look: Look, a: np.ndarray, b: np.ndarray, heights: np.ndarray) -> None:
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        raise ShapeError(describe("loss surface", "at least one finite loss", "none"))
    low, high = float(finite.min()), float(finite.max())
    high = high if high > low else low + 1.0
    shown = np.where(np.isfinite(heights), heights, high)
    if low > 0 and high > 20 * low:
        levels, norm = np.geomspace(low, high, 15), LogNorm(low, high)
    else:
        levels, norm = np.linspace(low, high, 15), Normalize(low, high)
    drawn = ax.contourf(a, b, shown, levels, cmap=look.shades, norm=norm)
    lines: dict[str, Any] = {"colors": look.quiet, "linewidths": 0.5, "alpha": 0.6}
    ax.contour(a, b, shown, levels, **lines)
    bar = colour_bar(ax, drawn, format="%.3g")
    bar.set_ticks(levels[::2].tolist())
    bar.minorticks_off()
    bar.set_label("loss")


def _way(ax: Axes, look: Look, places: np.ndarray) -> None:
    ax.plot(*places.T, "-", color=look.orange, linewidth=1.6)
    ax.plot(*places.T, "o", color=look.orange, markersize=3)
    mark: dict[str, Any] = {"color": look.orange, "markeredgecolor": look.paper}
    ax.plot(*places[0], "s", markersize=8, **mark)
    ax.plot(*places[-1], "*", markersize=14, **mark)
    frame: dict[str, Any] = {
        "boxstyle": "round,pad=0.2",
        "facecolor": look.paper,
        "edgecolor": "none",
    }
    for place, text in ((places[0], "start"), (places[-1], "end")):
        ax.annotate(
            text,
            place,
            (0, 11),
            textcoords="offset points",
            ha="center",
            size=8.5,
            bbox={**frame, "alpha": 0.8},
        )
