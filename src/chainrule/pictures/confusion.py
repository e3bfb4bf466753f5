"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import DataError, ShapeError, describe
from chainrule.pictures.style import Look, axes_or_new, in_style, name_ticks, short, text_on


def confusion_matrix(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """M[i, j] = number of rows of class i predicted as class j, and the classes in order."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        came = f"{y_true.shape} and {y_pred.shape}"
        raise ShapeError(describe("y_true and y_pred", "one label a row in both", came))
    if not len(y_true):
        raise DataError(describe("y_true", "at least one row", "none"))
    classes, places = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (places[: len(y_true)], places[len(y_true) :]), 1)
    return counts, classes


def plot_confusion(
    matrix: Any,
    y_pred: Any = None,
    ax: Axes | None = None,
    *,
    labels: Sequence[Any] | None = None,
    title: str | None = None,
) -> Axes:
    """Rows the true class, columns the predicted: blue where they agree, orange where not.

    Parameters
    ----------
    matrix : array of shape (classes, classes), or true labels of shape (rows,)
        Counts; or, with ``y_pred``, the true labels.
    y_pred : array of shape (rows,), optional
        Predicted labels.
    ax : Axes, optional
    labels : sequence, optional
        The classes in the order of the matrix. Default: 0, 1, …, or the labels found.
    title : str, optional
        Default: how many are right.

    Returns
    -------
    Axes
    """
    if y_pred is not None:
        matrix, found = confusion_matrix(matrix, y_pred)
        labels = found.tolist() if labels is None else labels
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ShapeError(describe("confusion matrix", "(classes, classes)", matrix.shape))
    if matrix.dtype.kind not in "iu" or matrix.min() < 0:
        raise DataError(describe("confusion matrix", "counts ≥ 0", matrix.dtype))
    count = len(matrix)
    names = [str(name) for name in (range(count) if labels is None else labels)]
    if len(names) != count:
        raise ShapeError(describe("labels", f"{count}, one a class", len(names)))
    with in_style(ax) as look:
        ax = axes_or_new(ax, *confusion_size(names))
        _draw_cells(ax, look, matrix)
        name_ticks(ax, "x", names, rotation=0 if max(map(len, names)) < 4 else 90)
        name_ticks(ax, "y", names)
        ax.set_xlabel("predicted")
        ax.set_ylabel("true")
        ax.set_title(_summary(matrix) if title is None else title)
    return ax


def confusion_size(names: Sequence[Any]) -> tuple[float, float]:
    """Inches for classes of these names, which stand beside and, if long, below the cells."""
    side = min(9.0, 1.6 + 0.42 * len(names))
    longest = max(len(short(name)) for name in names)
    return max(side + 0.4 + 0.08 * longest, 4.0), side + (0.08 * longest if longest >= 4 else 0)


def _summary(matrix: np.ndarray) -> str:
    right, total = int(np.trace(matrix)), int(matrix.sum())
    return f"{right:,} of {total:,} right ({right / max(total, 1):.1%})"


def _draw_cells(ax: Axes, look: Look, matrix: np.ndarray) -> None:
    """Colours by the share of the true class; errors on a scale of their own, else unseen."""
    count = len(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    agree = np.eye(count, dtype=bool)
    worst = max(shares[~agree].max(initial=0.0), 0.02)
    image = np.where(agree[..., np.newaxis], look.shades(shares), look.warning(shares / worst))
    ax.imshow(image, interpolation="nearest", aspect="equal")
    size = 9.0 if count <= 12 else max(4.0, 110 / count)
    for i, j in np.argwhere(matrix > 0) if count <= 40 else ():
        colour = text_on(image[i, j])
        ax.text(j, i, f"{matrix[i, j]}", ha="center", va="center", size=size, color=colour)
    edges = np.arange(count + 1) - 0.5
    ax.hlines(edges, -0.5, count - 0.5, color=look.rule, linewidth=0.6)
    ax.vlines(edges, -0.5, count - 0.5, color=look.rule, linewidth=0.6)
    for spine in ax.spines.values():
        spine.set_visible(False)
