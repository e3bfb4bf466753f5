"""Where parameters start: the distributions, their scale, and what is refused."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import OptionError, ShapeError


def start(shape, init, seed=0):
    return cr.ParameterVector([cr.parameter("W", shape, init=init)]).initial(seed).reshape(shape)


FAN_IN, FAN_OUT = 300, 200
VARIANCE = {
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
}


@pytest.mark.parametrize("name", VARIANCE)
def test_scaled_draws_have_the_published_variance(name):
    W = start((FAN_IN, FAN_OUT), name)
    # 60 000 draws: the variance is known to about 0.6 % (normal) or 0.4 % (uniform)
    assert np.var(W) == pytest.approx(VARIANCE[name], rel=0.03)
    assert abs(np.mean(W)) < 4 * np.sqrt(VARIANCE[name] / W.size)
    if name.endswith("uniform"):
        assert np.abs(W).max() <= np.sqrt(3 * VARIANCE[name])
    np.testing.assert_array_equal(W, start((FAN_IN, FAN_OUT), getattr(cr, name)()))


def test_the_lectures_start_is_a_thousandth_of_a_normal():
    W = start((784, 20), cr.normal(0.001))
    np.testing.assert_array_equal(W, 0.001 * np.random.default_rng(0).standard_normal((784, 20)))


def test_uniform_keeps_its_limit():
    W = start((50, 40), cr.uniform(0.25))
    assert 0.24 < np.abs(W).max() <= 0.25


def test_numbers_and_arrays_are_taken_as_they_are():
    np.testing.assert_array_equal(start((2, 3), 0.5), np.full((2, 3), 0.5))
    array = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(start((2, 3), array), array)


def test_defaults_are_glorot_for_matrices_and_zero_for_the_rest():
    np.testing.assert_array_equal(start((4, 5), None), start((4, 5), "glorot_uniform"))
    assert not start((5,), None).any()


def test_a_seed_gives_the_same_start_and_generators_go_on():
    assert np.array_equal(start((3, 3), "he_normal", 7), start((3, 3), "he_normal", 7))
    rng = np.random.default_rng(7)
    first, second = start((3, 3), "he_normal", rng), start((3, 3), "he_normal", rng)
    assert np.array_equal(first, start((3, 3), "he_normal", 7))
    assert not np.array_equal(first, second)
    legacy = np.random.RandomState(3)
    np.testing.assert_array_equal(
        start((2, 2), cr.normal(1.0), legacy), np.random.RandomState(3).standard_normal((2, 2))
    )


@pytest.mark.parametrize(
    ("init", "error", "message"),
    [
        ("xavier", OptionError, "init must be one of glorot_uniform.*got 'xavier'"),
        (np.zeros((3, 2)), ShapeError, r"must have shape \(2, 3\), got \(3, 2\)"),
        (["a"], OptionError, "init must be numbers"),
    ],
)
def test_an_init_that_cannot_be_is_refused_by_name(init, error, message):
    with pytest.raises(error, match=f"parameter 'W': .*{message}"):
        start((2, 3), init)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_spread_must_be_finite_and_not_negative(value):
    with pytest.raises(OptionError, match="normal: std must be a finite number ≥ 0"):
        cr.normal(value)


def test_a_random_state_must_be_a_seed_or_a_generator():
    with pytest.raises(OptionError, match="random_state must be None, an integer"):
        start((2, 2), "he_normal", "seed")
