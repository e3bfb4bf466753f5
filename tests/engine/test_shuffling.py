"""Orders without lists: bijections, evenly spread, the same in NumPy and in compiled code."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chainrule.engine import _native as native
from chainrule.training.shuffling import permutation, windowed_permutation

SEEDS = st.integers(0, 2**64 - 1)


@given(n=st.integers(0, 3000), seed=SEEDS, epoch=st.integers(0, 10**6))
def test_every_row_once_and_the_engine_agrees(n, seed, epoch):
    rows = permutation(n, seed, epoch)
    assert rows.dtype == np.int64
    assert np.array_equal(np.sort(rows), np.arange(n))
    assert np.array_equal(rows, native.order_of_epoch(n, seed, epoch))


@given(n=st.integers(0, 500), seed=SEEDS, epoch=st.integers(0, 100), window=st.integers(1, 600))
def test_windows_stay_together_and_the_engine_agrees(n, seed, epoch, window):
    rows = windowed_permutation(n, seed, epoch, window)
    assert np.array_equal(np.sort(rows), np.arange(n))
    assert np.array_equal(rows, native.order_of_epoch(n, seed, epoch, window))
    changes = np.count_nonzero(np.diff(rows // window))
    assert changes == max(-(-n // window) - 1, 0)


@pytest.mark.parametrize("n", range(2, 11))
def test_every_position_is_equally_likely(n):
    by_seed = np.array([permutation(n, seed, 0) for seed in range(3000)])
    by_epoch = np.array([permutation(n, 5, epoch) for epoch in range(3000)])
    for drawn in (by_seed, by_epoch):
        for position in range(n):
            counts = np.bincount(drawn[:, position], minlength=n)
            assert stats.chisquare(counts).pvalue > 1e-6
        pairs = np.bincount(drawn[:, 0] * n + drawn[:, -1], minlength=n * n).reshape(n, n)
        assert stats.chisquare(pairs[~np.eye(n, dtype=bool)]).pvalue > 1e-6


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_order_of_few_rows_is_equally_likely(n):
    counts = Counter(tuple(permutation(n, seed, 1)) for seed in range(6000))
    assert len(counts) == math.factorial(n)
    assert stats.chisquare(list(counts.values())).pvalue > 1e-6


@pytest.mark.parametrize("n", [97, 1000, 60000])
def test_neighbours_are_torn_apart(n):
    rows = permutation(n, 1, 2).astype(float)
    assert abs(np.corrcoef(rows, np.arange(n))[0, 1]) < 5 / math.sqrt(n)
    assert abs(np.corrcoef(rows[1:], rows[:-1])[0, 1]) < 5 / math.sqrt(n)
    assert np.count_nonzero(np.abs(np.diff(rows)) == 1) < 2 + 5 * math.sqrt(2)
    next_epoch = permutation(n, 1, 3)
    assert np.count_nonzero(rows == next_epoch) < 12  # one in the mean
