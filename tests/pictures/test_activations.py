"""Activation functions and their slopes, against formulas written here."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chainrule.errors import OptionError
from chainrule.networks import ACTIVATIONS
from chainrule.pictures import plot_activations


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def curves(panel):
    lines = {line.get_label(): line.get_xydata().T for line in panel.lines}
    return lines["f(s)"], lines["f′(s)"]


LECTURE = {
    "sigmoid": (
        lambda s: 1 / (1 + np.exp(-s)),
        lambda s: np.exp(-s) / (1 + np.exp(-s)) ** 2,
    ),
    "tanh": (np.tanh, lambda s: 1 / np.cosh(s) ** 2),
    "relu": (lambda s: np.maximum(0, s), lambda s: (s > 0) * 1.0),
}


def test_the_lectures_three_and_their_derivatives():
    panels = plot_activations().child_axes
    assert [panel.get_title(loc="left") for panel in panels] == list(LECTURE)
    for panel, (f, slope) in zip(panels, LECTURE.values(), strict=True):
        (s, y), (_, dy) = curves(panel)
        np.testing.assert_allclose(y, f(s), atol=1e-12)
        drawn = ~np.isnan(dy)
        np.testing.assert_allclose(dy[drawn], slope(s)[drawn], atol=1e-12)


def test_the_slope_has_a_gap_where_it_jumps_and_nowhere_else():
    gaps = {
        panel.get_title(loc="left"): int(np.isnan(curves(panel)[1][1]).sum())
        for panel in plot_activations().child_axes
    }
    assert gaps == {"sigmoid": 0, "tanh": 0, "relu": 1}


def test_every_activation_of_the_networks_can_be_drawn():
    ax = plot_activations(ACTIVATIONS)
    ax.figure.canvas.draw()
    assert len(ax.child_axes) == len(ACTIVATIONS)


@pytest.mark.parametrize("names", [["swoosh"], []])
def test_refuses_unknown_names(names):
    with pytest.raises(OptionError):
        plot_activations(names)


def test_refuses_limits_out_of_order():
    with pytest.raises(OptionError, match="limits"):
        plot_activations(limits=(1.0, -1.0))
