"""The lecture's numerical gradient, and the differences that the check is built on."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.check.numerical import central, extrapolated, rounding_noise, step_size
from chainrule.errors import NumericalError, OptionError, WrongTypeError


def cubes(x):
    return np.sum(x**3)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0), (1, 2, 2)])
def test_forward_and_central_differences_of_a_cubic(shape):
    """(x + h)³ − x³ over h is 3x² + 3xh + h²; to either side it is 3x² + h²."""
    x = np.random.default_rng(0).normal(size=shape)
    h = 1e-4
    forward = cr.numerical_gradient(cubes, x)
    both = cr.numerical_gradient(cubes, x, scheme="central")
    assert forward.shape == both.shape == shape
    np.testing.assert_allclose(forward, 3 * x**2 + 3 * x * h + h**2, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(both, 3 * x**2 + h**2, rtol=1e-9, atol=1e-10)


def test_forward_is_exactly_the_lectures_quotient():
    x = np.array([0.34, -1.11, 0.78])
    expected = [(np.sin(x + 1e-4 * np.eye(3)[i]).sum() - np.sin(x).sum()) / 1e-4 for i in range(3)]
    got = cr.numerical_gradient(lambda v: np.sin(v).sum(), x)
    np.testing.assert_array_equal(got, expected)


def test_it_works_in_place_one_entry_at_a_time():
    """f may ignore its argument and read the array that it is bound to, as the lecture does."""
    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    before = w.copy()
    seen = []

    def f(x):
        assert x is w
        seen.append(w - before)
        return w.sum()

    np.testing.assert_allclose(cr.numerical_gradient(f, w, h=0.5), np.ones((2, 2)))
    np.testing.assert_array_equal(w, before)
    assert not seen[0].any()
    for step, moved in enumerate(seen[1:]):
        expected = np.zeros(4)
        expected[step] = 0.5
        np.testing.assert_array_equal(moved.ravel(), expected)


@pytest.mark.parametrize("scheme", ["forward", "central"])
@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_entries_are_restored_when_f_raises(scheme, fails_at):
    x = np.array([1.0, 2.0])
    calls = 0

    def f(v):
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise KeyboardInterrupt
        return v.sum()

    if scheme == "forward" and fails_at == 4:
        cr.numerical_gradient(f, x, scheme=scheme)
        assert calls == 3  # f(x) once, then one for each entry
    else:
        with pytest.raises(KeyboardInterrupt):
            cr.numerical_gradient(f, x, scheme=scheme)
    assert x.tolist() == [1, 2]


def test_views_are_changed_in_place_too():
    theta = np.arange(6.0)
    view = theta.reshape(3, 2).T
    gradient = cr.numerical_gradient(lambda _: theta @ np.arange(6.0), view)
    np.testing.assert_allclose(gradient, np.arange(6.0).reshape(3, 2).T, atol=1e-9)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([1, 2]), "must hold floats, got int64.*astype"),
        ([1.0, 2.0], "must be a NumPy array"),
        (3.0, "must be a NumPy array"),
        (np.array([1 + 1j]), "got complex128"),
        (np.broadcast_to(1.0, 3), "must be writable"),
    ],
)
def test_arrays_that_cannot_be_moved(x, message):
    with pytest.raises(WrongTypeError, match=message):
        cr.numerical_gradient(cubes, x)


@pytest.mark.parametrize("value", [(1.0, np.ones(2)), np.ones(2), None, "1"])
def test_f_must_return_one_number(value):
    with pytest.raises(WrongTypeError, match=r"one number.*f\(x\)\[0\]"):
        cr.numerical_gradient(lambda x: value, np.ones(2))


def test_one_number_may_come_as_an_array():
    x = np.array([2.0])
    assert cr.numerical_gradient(lambda v: v**2, x) == pytest.approx(4, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "backward"}, "forward, central, got 'backward'"),
        ({"h": 0}, "h must be"),
        ({"h": -1e-4}, "h must be"),
        ({"h": math.nan}, "h must be"),
        ({"h": 1e-17}, r"h = 1e-17 is lost in x\[0\] = 1.0 \(float64\)"),
    ],
)
def test_steps_and_schemes(options, message):
    x = np.ones(2)
    with pytest.raises(OptionError, match=message):
        cr.numerical_gradient(cubes, x, **options)
    assert x.tolist() == [1, 1]


def test_a_step_that_single_precision_loses_is_refused():
    with pytest.raises(OptionError, match="is lost"):
        cr.numerical_gradient(cubes, np.full(2, 1e4, np.float32))


# what the check is built on --------------------------------------------------------------


def test_extrapolation_cancels_the_leading_error():
    def line(t):
        return math.exp(t)

    h = 0.01
    assert abs(central(line, h) - 1) == pytest.approx(h**2 / 6, rel=1e-3)
    value, spread = extrapolated(line, h)
    assert abs(value - 1) < h**4
    assert spread == pytest.approx(h**2 / 24, rel=1e-3)


def test_the_step_grows_with_the_parameter():
    assert step_size(0.0) == step_size(1.0) == 2.0**-17
    assert step_size(1000.0) == 2.0**-7
    assert 0.7 < step_size(1.0) / np.cbrt(np.finfo(float).eps) < 1.5


@pytest.mark.parametrize("sigma", [1e-14, 1e-10])
def test_noise_is_measured(sigma):
    rng = np.random.default_rng(0)
    found = [rounding_noise(lambda t: math.exp(t) + sigma * rng.normal()) for _ in range(50)]
    assert 0.5 * sigma < np.median(found) < 2 * sigma


def test_a_smooth_function_has_the_noise_of_its_rounding():
    assert np.finfo(float).eps <= rounding_noise(lambda t: 1 + t) < 1e-15


def test_noise_of_what_is_not_finite_is_refused():
    with pytest.raises(NumericalError, match="not finite"):
        rounding_noise(lambda t: math.inf)
