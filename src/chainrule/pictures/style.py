"""One quiet look for all pictures, light or dark, which leaves the user's own settings alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.text import Text

LONGEST = 28
"""Letters of a name that are shown."""


@dataclass(frozen=True, eq=False)
class Look:
    """The colours of all pictures on one kind of paper.

    Attributes
    ----------
    ink, quiet, rule, paper : str
        Text, its quieter kind, thin lines, what is behind everything.
    colours : tuple of str
        Line colours that stay apart for every kind of colour vision.
    diverging : colormap
        Below zero, zero (the paper), above zero: weights and neurons everywhere.
    shades, warning : colormap
        From the paper to blue; from the paper to orange.
    """

    ink: str
    quiet: str
    rule: str
    paper: str
    colours: tuple[str, ...]
    diverging: LinearSegmentedColormap
    shades: LinearSegmentedColormap
    warning: LinearSegmentedColormap

    @property
    def blue(self) -> str:
        """The first colour: what is, what is right."""
        return self.colours[0]

    @property
    def orange(self) -> str:
        """The second colour: what is compared with it, what is wrong."""
        return self.colours[1]

    def colour(self, i: int) -> str:
        """The i-th line colour, from the first again when they run out."""
        return self.colours[i % len(self.colours)]


def _map(name: str, *colours: str) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list(f"chainrule.{name}", list(colours))


COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Line colours that stay apart for every kind of colour vision (Okabe, Ito 2008)."""

DIVERGING = _map("diverging", "#a84300", "#e88b3c", "#fbfbfa", "#5aa2d2", "#005a93")
"""Orange below zero, blue above: the colours of neurons and weights everywhere."""

LIGHT = Look(
    ink="#1f2430",
    quiet="#5d6773",
    rule="#dfe2e6",
    paper="#ffffff",
    colours=COLOURS,
    diverging=DIVERGING,
    shades=_map("shades", "#ffffff", "#d3e6f3", "#0072b2"),
    warning=_map("warning", "#ffffff", "#fbdcc2", "#d55e00"),
)
DARK = Look(
    ink="#ece9e2",
    quiet="#a9b0ba",
    rule="#3a4049",
    paper="#1b1e24",
    colours=("#5cb3ee", "#f0813a", "#25b98a", "#e7a6cb", "#f4c64a", "#2c7fb8"),
    diverging=_map("diverging.dark", "#ffb073", "#b8632a", "#1f232a", "#2f7fb5", "#8fd0ff"),
    shades=_map("shades.dark", "#1b1e24", "#1f4762", "#5cb3ee"),
    warning=_map("warning.dark", "#1b1e24", "#5a3116", "#f0813a"),
)


def settings(look: Look) -> Any:
    """What matplotlib is told while a picture is made."""
    return {
        "figure.facecolor": look.paper,
        "axes.facecolor": look.paper,
        "axes.edgecolor": look.rule,
        "axes.labelcolor": look.quiet,
        "axes.labelsize": 9.5,
        "axes.titlecolor": look.ink,
        "axes.titlelocation": "left",
        "axes.titlesize": 11.5,
        "axes.titleweight": "bold",
        "axes.titlepad": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "font.size": 9.5,
        "grid.color": look.rule,
        "grid.linewidth": 0.7,
        "legend.facecolor": look.paper,
        "legend.edgecolor": look.rule,
        "legend.labelcolor": look.ink,
        "lines.linewidth": 1.8,
        "lines.solid_capstyle": "round",
        "savefig.facecolor": look.paper,
        "text.color": look.ink,
        "text.parse_math": False,  # a dollar in a name is a dollar
        "xtick.color": look.rule,
        "ytick.color": look.rule,
        "xtick.labelcolor": look.quiet,
        "ytick.labelcolor": look.quiet,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
    }


@contextmanager
def in_style(on: Axes | Look | None = None) -> Iterator[Look]:
    """``with in_style(ax) as look: …`` draws in the look that fits; the settings return after it.

    Parameters
    ----------
    on : Axes or Look, optional
        An Axes to draw on: dark where it is dark. ``None``: dark where the user's own settings
        make dark figures (``plt.style.use("dark_background")``).
    """
    look = on if isinstance(on, Look) else look_of(on)
    with mpl.rc_context(rc=settings(look)):
        yield look


def look_of(ax: Axes | None) -> Look:
    """The look that can be read on ``ax``, or on the figures that the settings make."""
    if ax is None:
        paper = mpl.rcParams["figure.facecolor"]
    else:
        paper = ax.get_facecolor()
        figure = ax.get_figure()
        if to_rgba(paper)[3] < 0.5 and figure is not None:
            paper = figure.get_facecolor()
    red, green, blue, alpha = to_rgba(paper)
    dark = alpha >= 0.5 and 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
    return DARK if dark else LIGHT


def text_on(colour: Any) -> str:
    """Black or white, whichever stands out more: at least 4.5 to 1 on any colour.

    References
    ----------
    Web Content Accessibility Guidelines 2.2, relative luminance and contrast ratio.
    """
    parts = np.asarray(to_rgba(colour)[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """``ax``, or the Axes of a new pyplot figure of this size in inches."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def colour_bar(ax: Axes, drawn: Any, **options: Any) -> Any:
    """The scale of what was drawn, beside ``ax``: no frame, no ticks."""
    figure: Any = ax.get_figure()
    bar = figure.colorbar(drawn, ax=ax, pad=0.02, **options)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return bar


def bare(ax: Axes) -> None:
    """No ticks and no frame: for images, which bring their own edges."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def short(name: Any) -> str:
    """A name of the user's own, on one line, of bounded length."""
    text = " ".join(str(name).split()) or "(no name)"
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def plain(texts: Any) -> None:
    """Take these texts as they are: nothing in a user's name is a formula."""
    for text in texts:
        if isinstance(text, Text):
            text.set_parse_math(False)


def name_ticks(ax: Axes, axis: Literal["x", "y"], names: Any, rotation: float = 0.0) -> None:
    """Names at 0, 1, … of the axis "x" or "y"."""
    names = [short(name) for name in names]
    set_ticks = ax.set_xticks if axis == "x" else ax.set_yticks
    set_ticks(range(len(names)), names, rotation=rotation)
    plain(ax.get_xticklabels() if axis == "x" else ax.get_yticklabels())
    ax.tick_params(axis=axis, length=0)
