"""What a wrong gradient is said to mean, on gradients that are wrong in one known way each."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.check.diagnosis import diagnose
from chainrule.errors import chapter

RIGHT = np.array([0.3, -1.2, 0.7, 2.0])
THETA = np.array([1.0, -2.0, 0.5, 0.25])


def said(analytic, numerical=RIGHT, theta=THETA, rows=8):
    wrong = ~(np.asarray(analytic) == numerical)
    return diagnose(np.asarray(analytic), numerical, wrong, theta, rows)


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (-1, "the sign is flipped"),
        (2, "twice too large"),
        (0.5, "half of what it should be"),
        (8, "8 times too large: a sum over rows"),
        (1 / 8, "divided by the 8 rows once too often"),
        (-8, "flipped in sign and not divided by the 8 rows"),
        (3, "off by a constant factor of 3"),
        (-2, "off by a constant factor of -2"),
        (2.0015, "twice too large"),  # three digits tell a factor
        (2.0025, "off by a constant factor of 2.0025"),
        (-8.007, "flipped in sign and not divided"),
        (-8.009, "off by a constant factor of -8.009"),
    ],
)
def test_a_constant_factor_is_named(factor, says):
    assert said(factor * RIGHT).startswith(says)
    assert said(factor * RIGHT).endswith(f"; see {chapter('loss')}")


@pytest.mark.parametrize("strength", [0.1, -0.1])
@pytest.mark.parametrize(("name", "slope"), [("l2", lambda w: w), ("l1", np.sign)])
@pytest.mark.parametrize("count", [2, 4])
def test_a_penalty_too_much_or_too_little_is_named_with_its_strength(strength, name, slope, count):
    theta = THETA[:count]
    sentence = said(RIGHT[:count] + strength * slope(theta), RIGHT[:count], theta)
    assert (
        f"{'lacks' if strength < 0 else 'has'} 0.1 · {'θ' if name == 'l2' else 'sign θ'}"
        in sentence
    )
    assert f"an {name} penalty" in sentence
    assert sentence.endswith(f"see {chapter('loss')}")


def test_a_constant_error_is_no_penalty():
    theta = np.array([1.0, 2.0, 0.5, 0.25])  # of one sign: sign θ is constant too
    assert "4 of 4 entries are wrong and follow no simple pattern" in said(RIGHT + 0.1, theta=theta)


def test_equal_parameters_say_nothing_of_a_penalty():
    sentence = said(RIGHT + 0.1, theta=np.full(4, 2.0))
    assert "no simple pattern" in sentence


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_gradient_of_zeros_is_a_forgotten_parameter(count):
    sentence = said(np.zeros(count), RIGHT[:count], THETA[:count])
    assert sentence.startswith("the analytic gradient is 0, as if the parameter were missing")
    assert sentence.endswith(f"see {chapter('back-propagation')}")


def test_one_entry_of_many_is_told_from_one_entry_of_one():
    assert "only this one of 4 entries is wrong" in said(RIGHT + np.eye(4)[2])
    assert "constant factor of 3" in said(3 * RIGHT[:1], RIGHT[:1], THETA[:1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_single_number_that_is_not_finite_is_enough(bad):
    broken = RIGHT + 1
    broken[1] = bad
    assert said(broken).startswith("the analytic gradient is not finite")
    assert said(RIGHT + 1, broken).startswith("the loss is not finite a small step away")


def test_a_numerical_gradient_of_zeros_has_no_factor():
    assert "no simple pattern" in said(RIGHT, np.zeros(4))
