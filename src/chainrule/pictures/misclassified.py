"""The rows that the model gets wrong, as images, the surest mistakes first."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import OptionError, ShapeError, describe
from chainrule.pictures.mosaic import as_images, draw_tiles, tiles_size
from chainrule.pictures.style import LIGHT, axes_or_new, bare, in_style, short


def plot_misclassified(
    X: Any,
    y_true: Any,
    y_pred: Any,
    ax: Axes | None = None,
    *,
    confidence: Any = None,
    image_shape: tuple[int, int] | None = None,
    limit: int = 20,
    columns: int | None = None,
    title: str | None = None,
) -> Axes:
    """Images whose predicted label is not the true one: "true → predicted".

    Parameters
    ----------
    X : array of shape (rows, pixels) or (rows, height, width)
    y_true, y_pred : array of shape (rows,)
    ax : Axes, optional
    confidence : array of shape (rows,), optional
        The probability that the model gave its prediction: shown, and the largest come first.
    image_shape : tuple of int, optional
        (height, width) where X holds flattened images; without it they are taken to be square.
    limit : int
        At most so many images.
    columns : int, optional
        Images in a row.
    title : str, optional
        Default: how many are wrong, and how many of them are shown.

    Returns
    -------
    Axes
    """
    images = as_images(X, image_shape, "X")
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    rows = (len(images),)
    for name, one in (("y_true", y_true), ("y_pred", y_pred), ("confidence", confidence)):
        if one is not None and np.shape(one) != rows:
            raise ShapeError(describe(name, f"shape {rows}, one a row", np.shape(one)))
    if limit < 1:
        raise OptionError(describe("limit", "an integer ≥ 1", limit))
    wrong = np.flatnonzero(y_true != y_pred)
    if confidence is not None:
        wrong = wrong[np.argsort(-np.asarray(confidence)[wrong], kind="stable")]
    shown = wrong[:limit]
    with in_style(ax) as look:
        ax = axes_or_new(ax, *tiles_size(len(shown), columns))
        if len(shown):
            captions = [_caption(y_true[i], y_pred[i], confidence, i) for i in shown]
            draw_tiles(
                ax,
                look,
                images[shown],
                captions=captions,
                columns=columns,
                colours=[look.orange] * len(shown),
                cmap="Greys" if look is LIGHT else "gray",
                vmin=min(0, images.min()),
                vmax=images.max(),
            )
        else:
            bare(ax)
            ax.text(0.5, 0.5, "none", transform=ax.transAxes, ha="center", color=look.quiet)
        ax.set_title(_summary(len(wrong), len(shown), len(images)) if title is None else title)
    return ax


def _caption(true: Any, predicted: Any, confidence: Any, i: int) -> str:
    sure = "" if confidence is None else f"  {float(confidence[i]):.0%}"
    return f"{short(true)} → {short(predicted)}{sure}"


def _summary(wrong: int, shown: int, rows: int) -> str:
    less = f", {shown} shown" if shown < wrong else ""
    return f"{wrong} of {rows} wrong{less} (true → predicted)"
