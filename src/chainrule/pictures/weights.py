"""The weights of a layer as images: what each unit looks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import ShapeError, describe
from chainrule.pictures.mosaic import as_images, draw_tiles, tiles_size
from chainrule.pictures.style import axes_or_new, in_style


def plot_weights(
    images: Any,
    ax: Axes | None = None,
    *,
    image_shape: tuple[int, int] | None = None,
    labels: Sequence[str] | None = None,
    columns: int | None = None,
    title: str = "Weights of the first layer",
) -> Axes:
    """One image a unit: blue where a pixel speaks for the unit, orange where against it.

    Parameters
    ----------
    images : array of shape (n, height, width), or weights W of shape (pixels, n)
        Column k of W is what unit k multiplies the pixels with.
    ax : Axes, optional
    image_shape : tuple of int, optional
        (height, width) where W is given; without it images are taken to be square.
    labels : sequence of str, optional
        A caption for each unit.
    columns : int, optional
        Images in a row.
    title : str

    Returns
    -------
    Axes
        Each image has its own scale, symmetric about 0 (white).
    """
    images = np.asarray(images)
    if images.ndim == 2:
        images = as_images(images.T, image_shape, "columns of the weights")
    images = as_images(images, what="weights").astype(np.float64)
    if labels is not None and len(labels) != len(images):
        raise ShapeError(describe("labels", f"{len(images)}, one a unit", len(labels)))
    largest = np.abs(images).max(axis=(1, 2), keepdims=True)
    scaled = images / np.where(largest > 0, largest, 1)
    with in_style(ax) as look:
        ax = axes_or_new(ax, *tiles_size(len(images), columns, labels is not None))
        shades: dict[str, Any] = {"cmap": look.diverging, "vmin": -1, "vmax": 1}
        draw_tiles(ax, look, scaled, captions=labels, columns=columns, **shades)
        ax.set_title(title)
    return ax
