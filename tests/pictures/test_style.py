"""The look: colours that everyone can tell apart, and the user's settings left alone."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from chainrule import pictures
from chainrule.pictures import DARK, DIVERGING, LIGHT, in_style

from .contrast import contrast, linear
from .gallery import CALLS

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


def lab(rgb):
    """CIE L*a*b* of linear RGB, white point D65."""
    xyz = LAB @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart_for_every_kind_of_colour_vision(vision, look):
    matrix = np.array(VISION[vision].split(), float).reshape(3, 3)
    seen = [lab(matrix @ linear(colour)) for colour in look.colours]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 11  # 2.3 is the least that is noticed


def test_above_zero_is_blue_and_below_is_orange():
    low, middle, high = (np.array(DIVERGING(x)[:3]) for x in (0.0, 0.5, 1.0))
    assert high[2] > high[0]
    assert low[0] > low[2]
    assert middle.min() > 0.95


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_and_lines_be_seen(look):
    for text in (look.ink, look.quiet):
        assert contrast(text, look.paper) >= 4.5
    assert contrast(look.blue, look.paper) >= 4.5
    assert contrast(look.orange, look.paper) >= 3.0


@pytest.mark.parametrize("name", CALLS)
def test_dark_settings_make_dark_pictures(name):
    with plt.style.context("dark_background"):
        ax = CALLS[name](None)
        ax.figure.canvas.draw()
    assert to_rgb(ax.figure.get_facecolor()) == to_rgb(DARK.paper)
    assert to_rgb(ax.title.get_color() if ax.get_title() else DARK.ink) == to_rgb(DARK.ink) or (
        to_rgb(ax._left_title.get_color()) == to_rgb(DARK.ink)
    )


def test_a_dark_axes_gets_colours_for_dark_paper():
    _, ax = plt.subplots(facecolor="#101010")
    ax.set_facecolor("none")
    assert pictures.plot_loss([3.0, 2.0], ax).lines[0].get_color() == DARK.blue
    _, ax = plt.subplots(facecolor="#f0f0f0")
    assert pictures.plot_loss([3.0, 2.0], ax).lines[0].get_color() == LIGHT.blue
    with in_style(DARK) as look:
        assert look is DARK


def words(ax):
    """Every text that is seen in the picture, with its place on the canvas."""
    figure = ax.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(mpl.text.Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer)
            if figure.bbox.overlaps(box) and box.width > 0 and _is_drawn(text, ax):
                yield text.get_text(), box


def _is_drawn(text, ax):
    """Ticks beyond the limits of their axis are kept but not drawn."""
    for axes in ax.figure.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if text in (tick.label1, tick.label2):
                    slack = 1e-9 * (high - low)
                    return low - slack <= tick.get_loc() <= high + slack
    return True


@pytest.mark.parametrize("name", CALLS)
def test_no_two_texts_meet_and_none_is_cut_off(name):
    ax = CALLS[name](None)
    found = list(words(ax))
    assert len(found) >= 3
    edge = ax.figure.bbox.padded(1)
    for i, (text, box) in enumerate(found):
        assert edge.x0 <= box.x0 and box.x1 <= edge.x1, text  # noqa: PT018
        assert edge.y0 <= box.y0 and box.y1 <= edge.y1, text  # noqa: PT018
        for other, beside in found[:i]:
            assert not box.padded(-1).overlaps(beside.padded(-1)), (text, other)


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
