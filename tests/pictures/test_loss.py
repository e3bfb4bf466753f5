"""Loss curves: the numbers, the scale, the labels at the ends."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import DataError, ShapeError
from chainrule.pictures import plot_loss
from chainrule.pictures.loss import spread
from chainrule.training.history import History


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def points(ax):
    return [line.get_xydata() for line in ax.lines if len(line.get_xdata()) > 1]


def test_draws_the_losses_from_iteration_1():
    (curve,) = points(plot_loss([4.0, 2.0, 0.5]))
    assert curve.tolist() == [[1, 4.0], [2, 2.0], [3, 0.5]]


def test_a_history_an_estimator_and_numbers_are_one():
    history = History()
    for epoch, loss in enumerate([3.0, 1.0], start=1):
        history.append(epoch=epoch, loss=loss)

    class Fitted:
        history_ = history

    class Foreign:
        loss_curve_ = [3.0, 1.0]  # noqa: RUF012

    for given_ in (history, Fitted(), Foreign(), np.array([3.0, 1.0])):
        (curve,) = points(plot_loss(given_))
        assert curve.tolist() == [[1, 3.0], [2, 1.0]]


def test_several_curves_carry_their_labels_in_their_colours():
    ax = plot_loss({"one": [3.0, 2.0], "two": [2.0, 1.0]})
    texts = {text.get_text(): text.get_color() for text in ax.texts}
    lines = [line.get_color() for line in ax.lines if len(line.get_xdata()) > 1]
    assert texts == dict(zip(["one", "two"], lines, strict=True))


def test_positive_losses_have_a_logarithmic_scale_others_a_plain_one():
    assert plot_loss([10.0, 0.01]).get_yscale() == "log"
    assert plot_loss([1.0, -1.0]).get_yscale() == "linear"


@pytest.mark.parametrize("losses", [[1.0], [2.0, 2.0], [0.0, 0.0], [5.0, math.nan, 4.0]])
def test_flat_short_and_broken_curves_are_drawn(losses):
    ax = plot_loss(losses)
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    assert low < min(x for x in losses if x == x) <= max(x for x in losses if x == x) < high


def test_the_scale_says_plain_numbers():
    ax = plot_loss([3.0, 0.002])
    ax.figure.canvas.draw()
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert "0.01" in labels
    assert "1" in labels


@pytest.mark.parametrize(
    ("history", "error", "words"),
    [
        ({}, DataError, "at least one loss curve"),
        ([], DataError, "finite loss"),
        ([math.nan], DataError, "finite loss"),
        ([[1.0, 2.0]], ShapeError, "one loss an iteration"),
        ({"a": ["x"]}, DataError, "loss curve 'a': expected numbers"),
    ],
)
def test_refuses_what_is_not_a_curve(history, error, words):
    with pytest.raises(error, match=words):
        plot_loss(history)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_labels_keep_their_order_and_their_distance(heights):
    heights = np.array(heights)
    placed = spread(heights, 0.06)
    order = np.argsort(heights, kind="stable")
    assert np.all(np.diff(placed[order]) >= 0.06 - 1e-9)
    assert placed.mean() == pytest.approx(heights.mean())


def test_labels_that_do_not_meet_stay():
    assert spread(np.array([0.9, 0.1, 0.5]), 0.06).tolist() == [0.9, 0.1, 0.5]
