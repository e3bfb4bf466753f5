"""The rows that a model gets most wrong: what was true, what it said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import DataError, OptionError, ShapeError, describe
from chainrule.pictures.style import axes_or_new, bare, in_style, name_ticks, short


def plot_worst(
    y_true: Any,
    predicted: Any,
    ax: Axes | None = None,
    *,
    classes: Sequence[Any] | None = None,
    names: Sequence[Any] | None = None,
    limit: int = 12,
    title: str | None = None,
) -> Axes:
    """A line a row, from the truth (blue) to what was said (orange); the worst on top.

    Parameters
    ----------
    y_true : array of shape (rows,)
    predicted : array of shape (rows, classes), or (rows,)
        Probabilities of the ``classes``; without ``classes`` the values of a regression.
    ax : Axes, optional
    classes : sequence, optional
        The classes in the order of the columns. Rows are then shown by how much likelier the
        predicted class was called than the true one; those that are right are not shown.
    names : sequence, optional
        What to call the rows. Default: "row 0", …
    limit : int
        At most so many.
    title : str, optional

    Returns
    -------
    Axes
    """
    y, p = np.asarray(y_true), np.asarray(predicted)
    if limit < 1:
        raise OptionError(describe("limit", "an integer ≥ 1", limit))
    if names is not None and len(names) != len(y):
        raise ShapeError(describe("names", f"{len(y)}, one a row", len(names)))
    if classes is None:
        truth, said, captions, wrong = _values(y, p)
        what = "value"
    else:
        truth, said, captions, wrong = _classes(y, p, list(classes))
        what = "probability"
    order = np.argsort(-np.abs(said - truth)[wrong], kind="stable")
    shown = wrong[order][:limit]
    with in_style(ax) as look:
        ax = axes_or_new(ax, 7.2, 1.1 + 0.27 * max(len(shown), 2))
        heading = f"The {len(shown)} worst of {len(y):,} rows"
        ax.set_title(title or (heading if len(shown) else f"None of {len(y):,} rows is wrong"))
        if not len(shown):
            bare(ax)
            return ax
        places = np.arange(len(shown))
        ax.hlines(places, truth[shown], said[shown], color=look.rule, linewidth=2.2)
        of = "value" if classes is None else "class"
        ax.plot(truth[shown], places, "o", color=look.blue, label=f"true {of}")
        ax.plot(said[shown], places, "D", color=look.orange, label=f"predicted {of}")
        called = [f"row {i}" if names is None else short(names[i]) for i in shown]
        name_ticks(ax, "y", [f"{a}{captions[i]}" for a, i in zip(called, shown, strict=True)])
        ax.set_ylim(len(shown) - 0.4, -0.6)
        if classes is not None:
            ax.set_xlim(-0.02, 1.02)
        ax.set_xlabel(what)
        ax.grid(True, axis="x")
        ax.tick_params(length=0)
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


Judged = tuple[np.ndarray, np.ndarray, list[str], np.ndarray]


def _values(y: np.ndarray, p: np.ndarray) -> Judged:
    if y.ndim != 1 or p.shape != y.shape or y.dtype.kind not in "fiu" or p.dtype.kind not in "fiu":
        expected = "one number a row in both; for classes give probabilities and classes"
        raise ShapeError(describe("y_true, predicted", expected, f"{y.shape}, {p.shape}"))
    return y.astype(float), p.astype(float), [""] * len(y), np.arange(len(y))


def _classes(y: np.ndarray, p: np.ndarray, classes: list[Any]) -> Judged:
    if p.shape != (len(y), len(classes)) or y.ndim != 1:
        expected = f"probabilities of shape ({len(y)}, {len(classes)})"
        raise ShapeError(describe("predicted", expected, p.shape))
    place = {label: i for i, label in enumerate(classes)}
    labels = y.tolist()
    unknown = [label for label in labels if label not in place]
    if unknown:
        raise DataError(describe("y_true", "labels among the classes", repr(unknown[0])))
    true = np.array([place[label] for label in labels])
    best = p.argmax(axis=1)
    rows = np.arange(len(y))
    captions = [
        f": {short(classes[a])} → {short(classes[b])}" for a, b in zip(true, best, strict=True)
    ]
    return p[rows, true], p[rows, best], captions, np.flatnonzero(true != best)
