"""The look: colours that everyone can tell apart, and the user's settings left alone."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from chainrule import pictures
from chainrule.pictures import COLOURS, DIVERGING

# Machado, Oliveira, Fernandes 2009, full severity, on linear RGB
VISION = {
    "protanopia": """0.152286  1.052583 -0.204868
                     0.114503  0.786281  0.099216
                    -0.003882 -0.048116  1.051998""",
    "deuteranopia": """0.367322 0.860646 -0.227968
                       0.280085 0.672501  0.047413
                      -0.011820 0.042940  0.968881""",
    "tritanopia": """1.255528 -0.076749 -0.178779
                    -0.078411  0.930809  0.147602
                     0.004733  0.691367  0.303900""",
    "all colours": "1 0 0  0 1 0  0 0 1",
}
LAB = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear RGB, white point D65."""
    xyz = LAB @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart_for_every_kind_of_colour_vision(vision):
    matrix = np.array(VISION[vision].split(), float).reshape(3, 3)
    seen = [lab(matrix @ linear(colour)) for colour in COLOURS]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 11  # 2.3 is the least that is noticed


def test_above_zero_is_blue_and_below_is_orange():
    low, middle, high = (np.array(DIVERGING(x)[:3]) for x in (0.0, 0.5, 1.0))
    assert high[2] > high[0]
    assert low[0] > low[2]
    assert middle.min() > 0.95


CALLS = {
    "loss": lambda ax: pictures.plot_loss([3.0, 2.0, 1.0], ax),
    "weights": lambda ax: pictures.plot_weights(np.arange(32.0).reshape(2, 4, 4), ax),
    "confusion": lambda ax: pictures.plot_confusion([[3, 1], [0, 4]], ax=ax),
    "misclassified": lambda ax: pictures.plot_misclassified(np.ones((2, 4)), [0, 1], [1, 1], ax),
    "activations": lambda ax: pictures.plot_activations(ax=ax),
}


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", CALLS)
def test_draws_on_the_axes_given_and_returns_it(name):
    figure, ax = plt.subplots()
    assert CALLS[name](ax) is ax
    assert plt.get_fignums() == [figure.number]
    figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_makes_an_axes_where_none_is_given(name):
    ax = CALLS[name](None)
    assert isinstance(ax, Axes)
    assert ax.get_title(loc="left")
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_leaves_the_settings_of_matplotlib_alone(name):
    before = dict(mpl.rcParams)
    CALLS[name](None)
    assert dict(mpl.rcParams) == before


def test_every_plot_function_is_called_here():
    assert {f"plot_{name}" for name in CALLS} == {
        name for name in pictures.__all__ if name.startswith("plot_")
    }
