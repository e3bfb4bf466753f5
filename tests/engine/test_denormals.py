"""Activations that underflow: the engine takes them for 0, which costs no time."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule import engine
from chainrule.networks import ParameterVector

ROWS, WIDTH = 256, 192


@pytest.fixture(scope="module", params=[("float32", 1e-40), ("float64", 1e-310)])
def case(request):
    """A network of two products, and rows that make its activations about so small."""
    dtype, small = request.param
    x, t = cr.input("x", ("rows", WIDTH)), cr.target("t", ("rows", WIDTH))
    W, V = cr.parameter("W", (WIDTH, WIDTH)), cr.parameter("V", (WIDTH, WIDTH))
    loss = cr.squared_error(cr.tanh(x @ W) @ V, t)
    vector = ParameterVector([W, V])
    theta = np.full(vector.size, 1 / WIDTH, dtype)
    # neither the rows nor the weights are denormal: only what is computed from them
    theta[: WIDTH * WIDTH] *= np.sqrt(small)
    rows = np.random.default_rng(0).uniform(0.5, 1, (ROWS, WIDTH)).astype(dtype)
    return engine.compile(loss, None, vector, dtype), theta, rows, np.sqrt(small).astype(dtype)


def sums(case, X):
    compiled, theta, *_ = case
    return compiled.sums(theta, X, np.zeros((ROWS, WIDTH), theta.dtype), n_threads=1)


def test_they_are_zeros_in_the_engine_alone(case):
    _, theta, rows, small = case
    product = (rows * small) @ theta[: WIDTH * WIDTH].reshape(WIDTH, WIDTH)
    assert 0 < product.max() < np.finfo(theta.dtype).tiny
    loss, weight, gradient = sums(case, rows * small)
    assert (loss, weight) == (0.0, ROWS)
    assert not gradient.any()
    # what NumPy computes afterwards in this thread is as it was
    assert (product * theta.dtype.type(0.5)).max() > 0
