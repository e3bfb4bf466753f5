"""Quantiles against np.quantile, and the bound of the sketch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.quantiles import Quantiles, weighted_quantiles

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
numbers = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(st.lists(numbers, min_size=1, max_size=40), st.integers(1, 5))
def test_all_kept_they_are_numpys(values, parts):
    quantiles = Quantiles()
    for part in np.array_split(np.array(values), parts):
        quantiles.add(part)
    np.testing.assert_allclose(quantiles(SHARES), np.quantile(values, SHARES), rtol=1e-12)
    assert (quantiles.low, quantiles.high) == (min(values), max(values))


@given(st.lists(st.tuples(numbers, st.integers(0, 9)), min_size=1, max_size=20))
def test_weights_are_repetitions(pairs):
    pairs = [*pairs, (1.0, 1)]
    values, weights = map(np.array, zip(*pairs, strict=True))
    expected = np.quantile(np.repeat(values, weights), SHARES)
    np.testing.assert_allclose(weighted_quantiles(values, weights, SHARES), expected, rtol=1e-12)


def test_the_largest_numbers_do_not_overflow():
    largest = np.finfo(float).max
    quantiles = weighted_quantiles(np.array([-largest, largest]), np.array([1, 1]), (0.25, 0.5))
    np.testing.assert_allclose(quantiles, [-largest / 2, 0.0])


@pytest.mark.parametrize("order", ["random", "sorted", "falling", "repeated"])
def test_the_sketch_keeps_its_bound(order):
    rows, limit = 200_000, 1000
    values = np.random.default_rng(0).normal(size=rows)
    if order == "repeated":
        values = np.round(values)
    elif order != "random":
        values = np.sort(values)[:: 1 if order == "sorted" else -1]
    quantiles = Quantiles(limit)
    for part in np.array_split(values, 77):
        quantiles.add(part)
    bound = rows * np.log2(rows / limit) / (2 * limit)
    ordered = np.sort(values)
    for share, value in zip(SHARES, quantiles(SHARES), strict=True):
        first, last = np.searchsorted(ordered, value), np.searchsorted(ordered, value, "right")
        assert first - bound <= share * (rows - 1) <= last + bound
    kept = sum(len(block) for block in quantiles._blocks if block is not None)
    assert kept <= (np.log2(rows / limit) + 2) * limit
    assert quantiles.count == rows


def test_up_to_its_limit_the_sketch_is_exact():
    values = np.random.default_rng(1).normal(size=1000)
    quantiles = Quantiles(1000)
    quantiles.add(values[:600])
    quantiles.add(values[600:])
    np.testing.assert_allclose(quantiles(SHARES), np.quantile(values, SHARES), rtol=1e-12)
