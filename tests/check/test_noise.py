"""How much a loss trembles in its last digits, measured on losses whose trembling is known."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.check.numerical import rounding_noise
from chainrule.errors import NumericalError

EPS = np.finfo(np.float64).eps


def test_known_noise_is_found():
    """Smooth part of degree 1, independent normal noise of standard deviation 10⁻⁶ on top.

    Nine points are few: the root of a mean of so few squares is low by up to a fifth.
    """
    rng = np.random.default_rng(0)
    found = [rounding_noise(lambda t: 3 * t + 1e-6 * rng.standard_normal()) for _ in range(300)]
    assert 0.75e-6 < np.median(found) < 1.05e-6


def test_it_is_never_less_than_the_rounding_of_the_largest_value():
    assert rounding_noise(lambda t: 5.0) == 5 * EPS
    assert rounding_noise(lambda t: t) == 8 * 2.0**-33 * EPS  # exact, and 0 where it starts


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_value_that_is_not_finite_is_refused(bad):
    with pytest.raises(NumericalError, match="not finite near"):
        rounding_noise(lambda t: bad if 0 < t < 2.0**-32 else 1.0)
