"""Products leave out zeros of the inputs, and nobody can tell from the numbers.

That the bits are those of the whole product is tested beside the kernels, in tests/native.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import chainrule as cr

SIZES, ROWS = (70, 11, 4), 203


def scattered(rng, X):
    return X * (rng.random(X.shape) < 0.2)


def margins(rng, X):
    X[:, :20] = X[:, 50:] = 0.0
    return X


def rows_of_nothing(rng, X):
    X[::3] = 0.0
    return X


def one_hot(rng, X):
    return np.eye(X.shape[1])[rng.integers(X.shape[1], size=len(X))]


def all_of_them(rng, X):
    return np.zeros_like(X)


@pytest.fixture(params=["float64", "float32"])
def case(tools, request):
    return tools.network(SIZES, rows=ROWS, dtype=request.param)


def fill(case, X):
    case.data["x"] = case.inputs["x"] = X.astype(case.dtype)


@pytest.mark.parametrize("pattern", [scattered, margins, rows_of_nothing, one_hot, all_of_them])
def test_zeros_of_every_pattern_give_what_the_rules_give(case, pattern):
    fill(case, pattern(np.random.default_rng(1), case.data["x"]))
    case.check()


def test_sparse_rows_and_full_ones_give_the_same_bits(case):
    fill(case, scattered(np.random.default_rng(2), case.data["x"]))
    loss, _, gradient = case.compiled.sums(case.theta, case.inputs, case.target, case.weight)
    sparse = case.compiled.sums(
        case.theta, {"x": sp.csr_array(case.data["x"])}, case.target, case.weight
    )
    assert sparse[0] == loss
    np.testing.assert_array_equal(sparse[2], gradient)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_weight_that_is_not_finite_spoils_every_row_as_in_numpy(case, bad):
    """0 · ∞ is NaN: a pixel that is always 0 does not hide it."""
    fill(case, margins(np.random.default_rng(3), case.data["x"]))
    case.vector.unpack(case.theta)["W1"][3, 5] = bad
    values = {**case.vector.unpack(case.theta), **case.data}
    with np.errstate(invalid="ignore"):
        trace = cr.Trace(case.graph, values, dtype=case.dtype)
        trace.forward()
    scores = case.compiled.forward(case.theta, case.inputs, case.scores)
    assert np.isnan(trace.value(case.scores)).all()
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(trace.value(case.scores)))


def test_a_gradient_that_is_not_finite_reaches_weights_of_zeros_as_in_numpy(case):
    fill(case, margins(np.random.default_rng(4), case.data["x"]))
    case.weight[7] = np.inf
    with np.errstate(invalid="ignore"):
        _, expected = case.oracle()
        _, _, gradient = case.compiled.sums(case.theta, case.inputs, case.target, case.weight)
    in_W1 = case.vector.slices["W1"]
    assert np.isnan(expected[in_W1]).any()
    np.testing.assert_array_equal(np.isnan(gradient), np.isnan(expected))
