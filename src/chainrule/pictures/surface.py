"""The loss around where training ended, and the way that led there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from chainrule.errors import OptionError, ShapeError, WrongTypeError, describe
from chainrule.pictures.style import Look, axes_or_new, in_style

MARGIN = 0.2


@dataclass(frozen=True)
class Plane:
    """θ + a·u + b·v: two directions through a point, and what to call them.

    Attributes
    ----------
    centre, u, v : ndarray of shape (parameters,)
    names : tuple of str
    """

    centre: np.ndarray
    u: np.ndarray
    v: np.ndarray
    names: tuple[str, str]

    def point(self, a: float, b: float) -> np.ndarray:
        """θ at these coordinates."""
        return self.centre + a * self.u + b * self.v

    def coordinates(self, thetas: np.ndarray) -> np.ndarray:
        """The (a, b) whose points lie nearest to each θ."""
        basis = np.column_stack([self.u, self.v])
        return np.linalg.lstsq(basis, (thetas - self.centre).T, rcond=None)[0].T


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
    sides = _sides(places, span, directions)
    a, b = (np.linspace(low, high, resolution) for low, high in sides)
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


def random_plane(values: dict[str, np.ndarray], centre: np.ndarray, random_state: int = 0) -> Plane:
    """Two random directions, each unit's weights as long as those of θ (Li et al. 2018)."""
    rng = np.random.default_rng(random_state)

    def direction() -> np.ndarray:
        parts = []
        for value in values.values():
            if value.ndim < 2:
                parts.append(np.zeros(value.size))
                continue
            drawn = rng.normal(size=value.shape)
            # axis 0 is what comes in: one unit's weights are a column
            length = np.linalg.norm(drawn, axis=0, keepdims=True)
            own = np.linalg.norm(value, axis=0, keepdims=True)
            parts.append((drawn / np.where(length > 0, length, 1) * own).ravel())
        return np.concatenate(parts)

    return Plane(centre, direction(), direction(), ("random direction 1", "random direction 2"))


def principal_plane(thetas: np.ndarray, centre: np.ndarray) -> Plane:
    """The two directions in which the path spreads most around where it ended."""
    _, sizes, axes = np.linalg.svd(thetas - centre, full_matrices=False)
    share = sizes**2 / max(float(np.sum(sizes**2)), 1e-300)
    if len(axes) < 2 or sizes[0] == 0:
        raise ShapeError(describe("path", "at least two different θ", f"{len(thetas)}"))
    names = (
        f"1st direction of the path ({share[0]:.0%} of it)",
        f"2nd direction ({share[1]:.0%})",
    )
    return Plane(centre, axes[0], axes[1], names)


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


def _sides(places: np.ndarray | None, span: float, directions: str) -> list[tuple[float, float]]:
    if places is None:
        return [(-span, span), (-span, span)]
    least = span if directions == "random" else 0.0
    low = np.minimum(places.min(axis=0), -least)
    high = np.maximum(places.max(axis=0), least)
    # neither side much thinner than the other: a thin strip shows nothing
    size = np.maximum(high - low, 0.35 * float(np.max(high - low)) or 1.0)
    middle = (high + low) / 2
    half = size / 2 * (1 + 2 * MARGIN)
    return [(float(m - h), float(m + h)) for m, h in zip(middle, half, strict=True)]


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
    figure = ax.get_figure()
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, format="%.3g")  # type: ignore[union-attr]
    bar.set_ticks(levels[::2].tolist())
    bar.minorticks_off()
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(length=0)
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
