"""Where an estimator decides what: its predictions over two of the columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from chainrule.errors import DataError, OptionError, ShapeError, describe
from chainrule.pictures.style import Look, axes_or_new, colour_bar, in_style, plain, short

MARKERS = "osD^vP*X<>"
LISTED = 12
"""Up to so many classes stand in the legend."""


def plot_decision_boundary(
    estimator: Any,
    X: Any,
    y: Any = None,
    ax: Axes | None = None,
    *,
    columns: tuple[Any, Any] = (0, 1),
    resolution: int = 200,
    title: str = "Decision boundary",
) -> Axes:
    """The prediction for every point of the plane of two columns, with the rows on it.

    Classes have colours, paler where the estimator is less sure; a quantity has contours.

    Parameters
    ----------
    estimator : fitted estimator
        Anything with ``predict``; ``predict_proba`` is used where there is one.
    X : array or data frame of shape (rows, columns)
        The rows. All columns but the two stay at their median, or their most frequent value.
    y : array of shape (rows,), optional
        Their classes or values.
    ax : Axes, optional
    columns : pair
        By place, or by name in a data frame.
    resolution : int
        Points in each direction.
    title : str

    Returns
    -------
    Axes
    """
    if resolution < 2:
        raise OptionError(describe("resolution", "an integer ≥ 2", resolution))
    plane = _Plane(X, columns)
    if y is not None and len(y) != len(plane.a):
        raise ShapeError(describe("y", f"{len(plane.a)} values, one a row", len(y)))
    grid = [np.linspace(low, high, resolution) for low, high in plane.limits]
    rows = plane.rows(*(axis.ravel() for axis in np.meshgrid(*grid)))
    with in_style(ax) as look:
        ax = axes_or_new(ax, 6.4, 4.8)
        classes = getattr(estimator, "classes_", None)
        if classes is None:
            _draw_values(ax, look, estimator, rows, grid, plane, y)
        else:
            _draw_classes(ax, look, estimator, rows, grid, plane, y, np.asarray(classes))
        ax.set_xlim(*plane.limits[0])
        ax.set_ylim(*plane.limits[1])
        plain([ax.set_xlabel(plane.names[0]), ax.set_ylabel(plane.names[1])])
        ax.set_title(title)
        ax.tick_params(length=0)
    return ax


class _Plane:
    """Two columns of X, and rows that differ in these two alone."""

    def __init__(self, X: Any, columns: tuple[Any, Any]) -> None:
        self.framed = hasattr(X, "iloc")
        self.X: Any = X if self.framed else np.asarray(X)
        if self.X.ndim != 2 or not len(self.X):
            raise ShapeError(describe("X", "shape (rows, columns), at least one row", self.X.shape))
        self.places = [self._place(one) for one in columns]
        if len(self.places) != 2 or self.places[0] == self.places[1]:
            raise OptionError(describe("columns", "two different ones", columns))
        self.names = [
            short(self.X.columns[i]) if self.framed else f"column {i}" for i in self.places
        ]
        self.a, self.b = (self._numbers(i) for i in self.places)
        self.limits = [_limits(values) for values in (self.a, self.b)]

    def _place(self, column: Any) -> int:
        if self.framed and column in list(self.X.columns):
            return list(self.X.columns).index(column)
        count = self.X.shape[1]
        if not isinstance(column, int | np.integer) or not 0 <= column < count:
            known = f"a place from 0 to {count - 1}" + (" or a name" if self.framed else "")
            raise OptionError(describe("columns", known, repr(column)))
        return int(column)

    def _column(self, i: int) -> np.ndarray:
        return np.asarray(self.X.iloc[:, i] if self.framed else self.X[:, i])

    def _numbers(self, i: int) -> np.ndarray:
        values = self._column(i)
        try:
            numbers = values.astype(np.float64)
        except (TypeError, ValueError):
            remedy = "Choose two columns of numbers."
            where = f"column {self.names[self.places.index(i)]!r}"
            raise DataError(describe(where, "numbers", values.dtype, remedy)) from None
        if not np.isfinite(numbers).any():
            raise DataError(describe(f"column {i}", "at least one finite number", "none"))
        return numbers

    def rows(self, a: np.ndarray, b: np.ndarray) -> Any:
        """Rows with these two columns, the others as they typically are."""
        if self.framed:
            made = self.X.iloc[[0] * len(a)].reset_index(drop=True)
            for i, name in enumerate(self.X.columns):
                if i not in self.places:
                    made[name] = _repeated(self.X.iloc[:, i], len(a))
            for i, values in zip(self.places, (a, b), strict=True):
                made[self.X.columns[i]] = values
            return made
        typical = np.nanmedian(self.X.astype(np.float64), axis=0)
        made = np.tile(typical, (len(a), 1))
        made[:, self.places] = np.column_stack([a, b])
        return made


def _repeated(column: Any, count: int) -> Any:
    """The typical value of a column of a data frame, in its own type."""
    most = column.mode(dropna=True)
    numeric = column.dtype.kind in "fiu" if isinstance(column.dtype, np.dtype) else False
    value = column.median() if numeric and len(most) else (most.iloc[0] if len(most) else None)
    return [value] * count


def _limits(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    margin = 0.06 * float(np.ptp(finite)) or 1.0
    return float(finite.min()) - margin, float(finite.max()) + margin


def _draw_classes(
    ax: Axes,
    look: Look,
    estimator: Any,
    rows: Any,
    grid: list[np.ndarray],
    plane: _Plane,
    y: Any,
    classes: np.ndarray,
) -> None:
    known = classes.tolist()
    place = {label: i for i, label in enumerate(known)}
    if hasattr(estimator, "predict_proba"):
        p = np.asarray(estimator.predict_proba(rows))
        best, sure = p.argmax(axis=1), p.max(axis=1)
    else:
        best = np.array([place[label] for label in np.asarray(estimator.predict(rows)).tolist()])
        sure = np.ones(len(best))
    floor = 1 / max(len(known), 2)
    strength = 0.12 + 0.45 * np.clip((sure - floor) / (1 - floor), 0, 1)
    colours = np.array([to_rgb(look.colour(i)) for i in range(len(known))])
    paper = np.array(to_rgb(look.paper))
    image = paper + strength[:, np.newaxis] * (colours[best] - paper)
    size = len(grid[1]), len(grid[0])
    extent = (grid[0][0], grid[0][-1], grid[1][0], grid[1][-1])
    image = image.reshape(*size, 3)
    ax.imshow(image, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
    if len(np.unique(best)) > 1:
        levels = np.arange(len(known) - 1) + 0.5
        lines: dict[str, Any] = {"colors": look.quiet, "linewidths": 0.9}
        ax.contour(grid[0], grid[1], best.reshape(size).astype(float), levels, **lines)
    if y is None:
        return
    labels = np.asarray(y).tolist()
    for i, label in enumerate(known):
        of = np.array([one == label for one in labels])
        style: dict[str, Any] = {"s": 22, "linewidths": 0.6, "edgecolors": look.paper}
        marker = MARKERS[i % len(MARKERS)]
        named = short(label) if i < LISTED else None
        colour = look.colour(i)
        ax.scatter(plane.a[of], plane.b[of], marker=marker, color=colour, label=named, **style)
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "frameon": False}
    plain(ax.legend(**beside, title="true class", alignment="left").get_texts())


def _draw_values(
    ax: Axes,
    look: Look,
    estimator: Any,
    rows: Any,
    grid: list[np.ndarray],
    plane: _Plane,
    y: Any,
) -> None:
    values = np.asarray(estimator.predict(rows), np.float64)
    if values.ndim != 1:
        raise ShapeError(describe("predict", "one value a row", values.shape))
    shown = values if y is None else np.concatenate([values, np.asarray(y, np.float64)])
    low, high = float(np.min(shown)), float(np.max(shown))
    high = high if high > low else low + 1.0
    height = values.reshape(len(grid[1]), len(grid[0]))
    drawn = ax.contourf(*grid, height, np.linspace(low, high, 15), cmap=look.shades)
    if y is not None:
        style: dict[str, Any] = {
            "s": 22,
            "linewidths": 0.7,
            "edgecolors": look.quiet,
            "cmap": look.shades,
        }
        ax.scatter(plane.a, plane.b, c=np.asarray(y, np.float64), vmin=low, vmax=high, **style)
    bar = colour_bar(ax, drawn, format="%.2g")
    bar.set_label("prediction" if y is None else "prediction; dots: true value")
