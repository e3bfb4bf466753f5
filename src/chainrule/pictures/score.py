"""The validation score over the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from chainrule.pictures.loss import DASHES, Curve, draw_curves, label_ends, named, numbers_of
from chainrule.pictures.style import axes_or_new, in_style


def plot_score(
    history: Any,
    ax: Axes | None = None,
    *,
    title: str = "Validation score",
    xlabel: str = "epoch",
    ylabel: str = "score",
) -> Axes:
    """Score against the epoch, from 1; a ring marks the best.

    Parameters
    ----------
    history : array, History, fitted estimator, or mapping of labels to any of them
        The scores as numbers, or what holds them; several by label.
    ax : Axes, optional
    title, xlabel, ylabel : str

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        When training had no validation: there is no score to draw.
    """
    with in_style(ax) as look:
        curves = [
            Curve(
                label,
                numbers_of(label, one, "validation_score"),
                look.colour(i),
                DASHES[i // len(look.colours) % len(DASHES)],
            )
            for i, (label, one) in enumerate(named(history).items())
        ]
        ax = axes_or_new(ax, 7.2, 4.0)
        draw_curves(ax, curves)
        for one in curves:
            best = int(np.nanargmax(one.values))
            place = [best + 1], [one.values[best]]
            ring: dict[str, Any] = {
                "markerfacecolor": "none",
                "markeredgewidth": 1.6,
                "markersize": 11,
            }
            ax.plot(*place, "o", color=one.colour, clip_on=False, **ring)
        finite = np.concatenate([one.values[np.isfinite(one.values)] for one in curves])
        margin = 0.08 * float(np.ptp(finite)) or 0.05
        ax.set_ylim(finite.min() - margin, finite.max() + margin)
        ax.set_title(title)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
        label_ends(ax, curves)
    return ax
