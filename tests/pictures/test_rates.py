"""The picture of the learning-rate finder: every batch, the running mean, the suggestion."""

from __future__ import annotations

import math
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_iris

from chainrule.errors import DataError, WrongTypeError
from chainrule.estimators import MLPClassifier
from chainrule.pictures import plot_learning_rates
from chainrule.training import RateFinder


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def found():
    X, y = load_iris(return_X_y=True)
    return MLPClassifier((8,), random_state=0).find_learning_rate(X, y, batches=40)


def curves(ax):
    return [line.get_xydata() for line in ax.lines if len(line.get_xdata()) == 40]


def test_losses_and_their_running_mean_over_the_rates(found):
    ax = plot_learning_rates(found)
    batches, mean = curves(ax)
    np.testing.assert_array_equal(batches, np.c_[found.rates, found.losses])
    np.testing.assert_array_equal(mean, np.c_[found.rates, found.smoothed])
    assert ax.get_xscale() == "log"
    assert ax.get_xlim() == (found.rates[0], found.rates[-1])


def test_the_suggestion_is_marked_and_written(found):
    ax = plot_learning_rates(found)
    (text,) = (text.get_text() for text in ax.texts)
    assert text == f"suggestion {found.suggestion:.2g}"
    ((x, y),) = (line.get_xydata()[0] for line in ax.lines if len(line.get_xdata()) == 1)
    assert x == found.suggestion
    # the point lies on the curve
    nearest = np.argmin(np.abs(np.log(found.rates / found.suggestion)))
    assert y == pytest.approx(found.smoothed[nearest], rel=0.05)
    (upright,) = (
        line for line in ax.lines if list(line.get_xdata()) == [found.suggestion, found.suggestion]
    )
    assert upright.get_color() == ax.texts[0].get_color()


def test_an_explosion_leaves_the_picture_and_the_start_stays():
    rates = np.geomspace(1e-4, 1, 40)
    losses = np.r_[np.full(20, 2.0), np.linspace(2, 0.5, 15), [5.0, 1e3, 1e6, 1e9, math.inf]]
    ax = plot_learning_rates(RateFinder(rates, losses, losses, 1e-2))
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    assert low < 0.5 < 2.0 < high < 10
    assert {"0.0001", "0.001", "0.01"} <= {tick.get_text() for tick in ax.get_xticklabels()}


def test_draws_on_given_axes(found):
    _, ax = plt.subplots()
    assert plot_learning_rates(found, ax, title="Digits") is ax
    assert ax.get_title(loc="left") + ax.get_title() == "Digits"


def test_refuses_other_things(found):
    with pytest.raises(WrongTypeError, match="result of find_learning_rate; came list"):
        plot_learning_rates([1.0, 2.0])
    with pytest.raises(DataError, match="at least one finite loss; came 40 rates"):
        plot_learning_rates(replace(found, smoothed=np.full(40, math.nan)))
