"""Broadcasting as NumPy does it, for every pair of shapes, with the gradient summed back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from chainrule.errors import ShapeError
from chainrule.ops import REGISTRY, ROWS
from chainrule.ops.base import Binary
from chainrule.ops.shapes import broadcast_shapes, unbroadcast

BINARY = sorted(name for name, op in REGISTRY.items() if issubclass(op, Binary))
PAIRS = mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4)


@given(PAIRS)
def test_the_shape_is_numpys(pair):
    assert broadcast_shapes(*pair.input_shapes) == pair.result_shape


@given(st.lists(st.lists(st.integers(0, 3), max_size=3).map(tuple), min_size=1, max_size=3))
def test_what_numpy_refuses_is_refused(shapes):
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError, match="do not broadcast"):
            broadcast_shapes(*shapes)
    else:
        assert broadcast_shapes(*shapes) == expected


def test_rows_meet_rows_and_one_only():
    assert broadcast_shapes((ROWS, 3), (3,)) == (ROWS, 3)
    assert broadcast_shapes((ROWS, 1), (ROWS, 3)) == (ROWS, 3)
    assert broadcast_shapes((1, 3), (ROWS, 1)) == (ROWS, 3)
    with pytest.raises(ShapeError, match="rows"):
        broadcast_shapes((ROWS, 3), (5, 3))


@given(PAIRS, st.integers(0, 2**32 - 1))
def test_summing_back_is_the_adjoint_of_stretching(pair, seed):
    """⟨stretch(a), g⟩ = ⟨a, sum back(g)⟩ for every a and g: the definition of an adjoint."""
    rng = np.random.default_rng(seed)
    g = rng.normal(size=pair.result_shape)
    for shape in pair.input_shapes:
        a = rng.normal(size=shape)
        back = unbroadcast(g, shape)
        assert back.shape == shape
        stretched = np.broadcast_to(a, pair.result_shape)
        size = np.sum(np.abs(stretched * g))
        assert abs(np.sum(stretched * g) - np.sum(a * back)) <= 1e-13 * (1 + size)


@pytest.mark.parametrize("name", BINARY)
@given(pair=PAIRS, seed=st.integers(0, 2**32 - 1))
def test_binary_operations_on_every_pair_of_shapes(name, pair, seed):
    """Stretching by hand first gives the same value; its gradients, summed back, are the same."""
    rng = np.random.default_rng(seed)
    op = REGISTRY[name]()
    a, b = (rng.uniform(0.5, 2, size=shape) for shape in pair.input_shapes)
    y = np.asarray(op.forward(a, b))
    assert y.shape == pair.result_shape == op.shape(a.shape, b.shape)
    dy = rng.normal(size=y.shape)
    wide = [np.broadcast_to(x, y.shape) for x in (a, b)]
    np.testing.assert_array_equal(op.forward(*wide), y)
    whole = op.backward(dy, *wide, y)
    for x, gradient, full in zip((a, b), op.backward(dy, a, b, y), whole, strict=True):
        assert gradient.shape == x.shape
        np.testing.assert_allclose(gradient, unbroadcast(full, x.shape), rtol=1e-12, atol=1e-12)


def test_many_rows_are_summed_in_float64():
    gradient = np.full((2**20, 1), 0.1, np.float32)
    total = unbroadcast(gradient, (1,))
    assert total.dtype == np.float32
    assert total[0] == np.float32(2**20 * np.float64(np.float32(0.1)))
