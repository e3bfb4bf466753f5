"""Many small images side by side in one Axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.errors import DataError, ShapeError, describe
from chainrule.pictures.style import Look, bare, plain

SIZE = 10.0  # a tile's longer side, in the units of the Axes
GAP = 1.2
CAPTION = 2.6


def as_images(
    images: Any, image_shape: tuple[int, int] | None = None, what: str = "images"
) -> np.ndarray:
    """``images`` as (n, height, width): already so, or one flattened image a row.

    Without ``image_shape`` a flattened image is taken to be square.
    """
    images = np.asarray(images)
    if images.dtype.kind not in "fiub":
        raise DataError(describe(what, "numbers", images.dtype))
    if images.ndim == 3:
        return images
    if images.ndim != 2:
        expected = "shape (n, height, width) or (n, pixels)"
        raise ShapeError(describe(what, expected, images.shape))
    pixels = images.shape[1]
    side = math.isqrt(pixels)
    height, width = image_shape or (side, side)
    if height * width != pixels:
        if image_shape is None:
            remedy = "Give image_shape=(height, width)."
            raise ShapeError(describe(what, "square images", f"{pixels} pixels each", remedy))
        raise ShapeError(describe(what, f"{height} × {width} pixels each", pixels))
    return images.reshape(-1, height, width)


def draw_tiles(
    ax: Axes,
    look: Look,
    images: np.ndarray,
    *,
    captions: Sequence[str] | None = None,
    columns: int | None = None,
    colours: Sequence[str] | None = None,
    **shades: Any,
) -> Axes:
    """The images in rows of ``columns``, each with its caption above it.

    ``shades`` (cmap, vmin, vmax) go to every image; ``colours`` are the captions'.
    """
    count, height, width = images.shape
    if count == 0:
        raise DataError(describe("images", "at least one", "none"))
    if captions is not None and len(captions) != count:
        raise ShapeError(describe("captions", f"{count}, one an image", len(captions)))
    columns = columns or even_columns(count)
    wide, high = SIZE * width / max(width, height), SIZE * height / max(width, height)
    above = CAPTION if captions is not None else 0.0
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        left = column * (wide + GAP)
        top = row * (high + GAP + above) + above
        box = (left, left + wide, top + high, top)
        ax.imshow(image, extent=box, interpolation="nearest", **shades)
        ax.plot(
            [left, left + wide, left + wide, left, left],
            [top, top, top + high, top + high, top],
            color=look.rule,
            linewidth=0.7,
        )
        if captions is not None:
            colour = look.ink if colours is None else colours[i]
            middle, foot = left + wide / 2, top - 0.35
            said = ax.text(
                middle, foot, captions[i], ha="center", va="bottom", size=8.5, color=colour
            )
            plain([said])
    rows = math.ceil(count / columns)
    ax.set_xlim(-0.2, columns * (wide + GAP) - GAP + 0.2)
    ax.set_ylim(rows * (high + GAP + above) - GAP + 0.2, -0.2)
    ax.set_aspect("equal")
    ax.set_anchor("NW")
    bare(ax)
    return ax


def even_columns(count: int) -> int:
    """Three or four times as many columns as rows, and if possible no row left unfinished."""
    ideal = math.sqrt(3.4 * count)
    near = range(max(math.floor(0.6 * ideal), 1), math.floor(1.4 * ideal) + 1)
    return min(near, key=lambda columns: (-count % columns, abs(math.log(columns / ideal))))


def tiles_size(
    count: int, columns: int | None = None, captions: bool = True
) -> tuple[float, float]:
    """Inches for a figure of so many tiles: 0.72 a tile, and room for the title."""
    count = max(count, 1)
    columns = columns or even_columns(count)
    step = SIZE + GAP + (CAPTION if captions else 0.0)
    rows = math.ceil(count / columns)
    return max(3.6, 0.072 * columns * (SIZE + GAP)), 0.072 * rows * step + 0.3
