"""The numbers that the lecture works out by hand: the softmax loss and the gradient check."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr

SCORES = np.array([[3.2, 5.1, -1.7]])
TRUE_CLASS = np.array([0])


def value(node, **leaves):
    return cr.Trace(node, leaves).forward()


# the softmax loss ------------------------------------------------------------------------


def test_scores_become_the_printed_probabilities():
    s = cr.input("s", ("rows", 3))
    p = value(cr.softmax(s), s=SCORES)[0]
    assert [f"{pk:.2f}" for pk in p] == ["0.13", "0.87", "0.00"]
    unnormalized = [math.exp(sk) for sk in SCORES[0]]
    np.testing.assert_allclose(p, np.array(unnormalized) / sum(unnormalized), rtol=1e-14)


def test_the_loss_is_minus_the_log_of_the_true_classs_probability():
    s, t = cr.input("s", ("rows", 3)), cr.target("t", ("rows",), dtype=int)
    p = value(cr.softmax(s), s=SCORES)[0]
    loss = value(cr.softmax_cross_entropy(s, t), s=SCORES, t=TRUE_CLASS)[0]
    assert loss == pytest.approx(-math.log(p[0]), rel=1e-14)
    assert loss == pytest.approx(-math.log(0.13), abs=0.005)  # p is printed with two digits


def test_one_hot_labels_say_the_same():
    s, t = cr.input("s", ("rows", 3)), cr.target("t", ("rows", 3))
    one_hot = value(cr.softmax_cross_entropy(s, t), s=SCORES, t=[[1, 0, 0]])
    assert one_hot[0] == pytest.approx(-math.log(value(cr.softmax(s), s=SCORES)[0, 0]), rel=1e-14)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_gradient_of_the_scores_is_p_minus_one_hot(label):
    """∂L/∂w_k = (p_k − 1) x for the true class, p_k x for the others."""
    x, t = cr.input("x", ("rows", 4)), cr.target("t", ("rows",), dtype=int)
    W = cr.parameter("W", (4, 3))
    rng = np.random.default_rng(0)
    row, weights = rng.normal(size=4), rng.normal(size=(4, 3))
    trace = cr.Trace(cr.softmax_cross_entropy(x @ W, t), {"x": [row], "W": weights, "t": [label]})
    gradient = trace.backward()["W"]
    scores = row @ weights
    p = np.exp(scores) / np.exp(scores).sum()
    for k in range(3):
        expected = (p[k] - 1) * row if k == label else p[k] * row
        np.testing.assert_allclose(gradient[:, k], expected, rtol=1e-13)


# the gradient check ----------------------------------------------------------------------

W = [0.34, -1.11, 0.78, 0.12, 0.55, 2.81, -3.10, -1.50, 0.33]
LOSS = 1.25347
MOVED = {0: 1.25322, 1: 1.25353, 2: 1.25347}


def printed_loss(w):
    """The lecture's table as a function: the loss that it prints for each w + h."""
    (moved,) = np.nonzero(w != np.array(W))
    assert len(moved) <= 1, "one entry is moved at a time, the others are restored"
    if len(moved) == 0:
        return LOSS
    assert w[moved[0]] - W[moved[0]] == pytest.approx(0.0001, rel=1e-9)
    return MOVED.get(int(moved[0]), LOSS)


def test_the_numerical_gradient_is_the_printed_one():
    w = np.array(W)
    gradient = cr.numerical_gradient(printed_loss, w)
    assert [round(float(g), 6) for g in gradient[:3]] == [-2.5, 0.6, 0.0]
    assert w.tolist() == W


def test_moving_an_entry_by_h_gives_the_printed_weights():
    seen = []

    def f(w):
        seen.append(w.copy())
        return printed_loss(w)

    cr.numerical_gradient(f, np.array(W))
    assert len(seen) == 1 + len(W)
    assert seen[1][0] == pytest.approx(0.3401)
    assert seen[2][1] == pytest.approx(-1.1099)
    assert seen[3][2] == pytest.approx(0.7801)
