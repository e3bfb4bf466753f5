"""How the outputs and gradients of every layer are distributed while training goes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from chainrule.errors import DataError, OptionError, describe
from chainrule.pictures.style import Look, axes_or_new, bare, in_style, plain, short
from chainrule.training import LayerHistograms
from chainrule.training.recording import density

BINS = 60
COLUMNS = 3
GAP = 0.09


def plot_histograms(
    recorded: LayerHistograms,
    ax: Axes | None = None,
    *,
    what: str = "outputs",
    title: str | None = None,
) -> Axes:
    """A panel a layer: epochs to the right, values upwards, the darker the more of them.

    Parameters
    ----------
    recorded : LayerHistograms
        The callback that was given to ``fit``.
    ax : Axes, optional
    what : {"outputs", "gradients"}
        What the layers put out, or the gradient of the loss with respect to that.
    title : str, optional

    Returns
    -------
    Axes
        Its panels are ``ax.child_axes``, one a layer.
    """
    if what not in ("outputs", "gradients"):
        raise OptionError(describe("what", '"outputs" or "gradients"', repr(what)))
    if not recorded.records:
        remedy = "Give it to an estimator: callbacks=[recorded]."
        raise DataError(describe("LayerHistograms", "at least one record", "none", remedy))
    layers = list(recorded.records[-1])
    columns = min(len(layers), COLUMNS)
    rows = -(-len(layers) // columns)
    with in_style(ax) as look:
        ax = axes_or_new(ax, 2.9 * columns + 0.5, 2.3 * rows + 0.7)
        bare(ax)
        default = "Outputs of each layer" if what == "outputs" else "Gradients at each layer"
        ax.set_title(title or f"{default} over the epochs", pad=26)
        for i, layer in enumerate(layers):
            row, column = divmod(i, columns)
            width = (1 - GAP * (columns - 1)) / columns
            height = (1 - 2.4 * GAP * (rows - 1)) / rows
            left, bottom = column * (width + GAP), 1 - height - row * (height + 2.4 * GAP)
            panel = ax.inset_axes((left, bottom, width, height))
            _draw_panel(panel, look, recorded, layer, what)
            if row == rows - 1:
                panel.set_xlabel("epoch")
            if column == 0:
                panel.set_ylabel("output" if what == "outputs" else "gradient")
    return ax


def _draw_panel(panel: Axes, look: Look, recorded: LayerHistograms, layer: str, what: str) -> None:
    edges, shares = shares_of(recorded, layer, what)
    epochs = np.asarray(recorded.epochs, float)
    middles = (epochs[1:] + epochs[:-1]) / 2
    sides = np.concatenate(([epochs[0] - 0.5], middles, [epochs[-1] + 0.5]))
    # a root: tails are to be seen beside the crowd
    panel.pcolormesh(sides, edges, np.cbrt(shares.T), cmap=look.shades, vmin=0, rasterized=True)
    plain([panel.set_title(short(layer), loc="left", size=10, pad=5)])
    zero = recorded.records[-1][layer].zero
    if what == "outputs" and zero > 0.005:
        panel.set_title(f"{zero:.0%} exactly 0", loc="right", size=8.5, pad=5, weight="normal")
    panel.axhline(0, color=look.quiet, linewidth=0.6, alpha=0.6)
    panel.set_ylim(edges[0], edges[-1])
    panel.tick_params(length=0)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    panel.yaxis.set_major_locator(MaxNLocator(nbins=5))


def shares_of(recorded: LayerHistograms, layer: str, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Edges of common bins, and of each record the share of its numbers in each bin."""
    records = [record[layer] for record in recorded.records]
    if what == "outputs":
        return density([(one.values, one.value_edges) for one in records], BINS)
    return density([(one.gradients, one.gradient_edges) for one in records], BINS)
