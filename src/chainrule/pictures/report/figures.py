"""Pictures inside a page: drawn twice, for light and for dark paper; the browser takes one."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule.graph.markup import Markup, tag
from chainrule.pictures.style import DARK, LIGHT, Look, in_style

Draw = Callable[[Axes], Axes]
DPI = 144


def figure(
    draw: Draw, caption: str, size: tuple[float, float], alt: str, *, pixels: bool = False
) -> Markup:
    """``<figure>`` with what ``draw`` puts on an Axes.

    Parameters
    ----------
    draw : callable
        Draws on the Axes that it gets.
    caption : str
    size : tuple of float
        Inches.
    alt : str
        What is to be seen, for those who do not see it.
    pixels : bool
        As PNG rather than SVG: for pictures of thousands of dots.
    """
    light, dark = (_encoded(draw, size, look, pixels) for look in (LIGHT, DARK))
    kind = "image/png" if pixels else "image/svg+xml"
    width, height = round(size[0] * 96), round(size[1] * 96)
    picture = tag(
        "picture",
        tag("source", media="print", srcset=light, type=kind),
        tag("source", media="(prefers-color-scheme: dark)", srcset=dark, type=kind),
        tag("img", src=light, alt=alt, width=width, height=height),
    )
    # on a phone it stays large enough to be read, and scrolls; the keyboard must get there
    strip = tag("div", picture, class_="wide", tabindex="0", role="group", aria_label=caption)
    return tag("figure", strip, tag("figcaption", caption))


def _encoded(draw: Draw, size: tuple[float, float], look: Look, pixels: bool) -> str:
    with in_style(look), warnings.catch_warnings():
        # names in scripts that the font lacks are drawn as boxes; the tables have them right
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support")
        made = Figure(figsize=size, layout="constrained")
        draw(made.add_subplot())
        content = io.BytesIO()
        more: dict[str, Any] = {"format": "png", "dpi": DPI} if pixels else {"format": "svg"}
        if not pixels:
            more["metadata"] = {"Date": None, "Creator": None}
        # the same page from the same model: no random names inside
        with mpl.rc_context({"svg.hashsalt": "chainrule", "svg.fonttype": "path"}):
            made.savefig(content, **more)
    kind = "png" if pixels else "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content.getvalue()).decode()}"
