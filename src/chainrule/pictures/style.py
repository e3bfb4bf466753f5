"""One quiet look for all pictures, which leaves the user's own matplotlib settings alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

INK = "#1f2430"
QUIET = "#66707c"
RULE = "#dfe2e6"
PAPER = "#ffffff"

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Line colours that stay apart for every kind of colour vision (Okabe, Ito 2008)."""

BLUE, ORANGE = COLOURS[0], COLOURS[1]

DIVERGING = LinearSegmentedColormap.from_list(
    "chainrule.diverging", ["#a84300", "#e88b3c", "#fbfbfa", "#5aa2d2", "#005a93"]
)
"""Orange below zero, blue above: the colours of neurons and weights everywhere."""

SHADES = LinearSegmentedColormap.from_list("chainrule.shades", [PAPER, "#d3e6f3", "#0072b2"])
WARNING = LinearSegmentedColormap.from_list("chainrule.warning", [PAPER, "#fbdcc2", "#d55e00"])

STYLE: Any = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": RULE,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 9.5,
    "axes.titlecolor": INK,
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
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": QUIET,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "savefig.facecolor": PAPER,
}


def in_style() -> AbstractContextManager[None]:
    """``with in_style(): …`` makes figures in this look; the user's settings return after it."""
    return mpl.rc_context(rc=STYLE)


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """``ax``, or the Axes of a new pyplot figure of this size in inches."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def bare(ax: Axes) -> None:
    """No ticks and no frame: for images, which bring their own edges."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
