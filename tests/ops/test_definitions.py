"""What an operation is when nothing more is said: defaults, kinks, equality, edges of shapes."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import ShapeError
from chainrule.ops import REGISTRY, ROWS
from chainrule.ops.shapes import known_size

# as the books and PyTorch have them
DEFAULTS = {
    "leaky_relu": {"slope": 0.01},
    "elu": {"alpha": 1.0},
    "gelu": {"approximate": False},
    "scale": {"factor": 1.0},
    "quantile": {"q": 0.5},
    "huber": {"delta": 1.0},
    "l1": {"strength": 1.0},
    "l2": {"strength": 1.0},
    "concatenate": {"axis": -1},
    "layer_norm": {"epsilon": 1e-5},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_the_usual_ones(name):
    assert REGISTRY[name]().options == DEFAULTS[name]


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "absolute"])
def test_the_pieces_change_at_zero_and_nowhere_else(name):
    if name not in REGISTRY:
        pytest.fail(f"{name} is no operation: {sorted(REGISTRY)}")
    x = np.array([[-2.0, -0.5, -1e-6, 1e-6, 0.5, 2.0]])
    pieces = np.broadcast_to(REGISTRY[name]().pieces(x), x.shape)[0]
    assert len({float(one) for one in pieces[:3]}) == 1
    assert len({float(one) for one in pieces[3:]}) == 1
    assert pieces[2] != pieces[3]


@pytest.mark.parametrize("name", ["quantile", "absolute_error"])
def test_the_pieces_of_a_loss_change_where_the_error_does_its_sign(name):
    s, t = np.array([[1.0, 3.0, -1.0]]), np.array([[2.0, 2.0, -0.5]])
    pieces = REGISTRY[name]().pieces(s, t)
    assert np.array_equal(np.sign(pieces), [[-1, 1, -1]])


def test_operations_are_equal_by_kind_and_options():
    scale, power = REGISTRY["scale"], REGISTRY["l2"]
    assert scale(2.0) == scale(2.0)
    assert scale(2.0) != scale(3.0)
    assert scale(1.0) != power(1.0)
    assert REGISTRY["l1"](1.0) != power(1.0)
    assert scale(2.0) != "scale(factor=2.0)"


def test_l1_has_slope_zero_at_zero():
    W = np.array([-2.0, 0.0, 3.0])
    (dW,) = REGISTRY["l1"](0.5).backward(np.array(2.0), W, None)
    assert np.array_equal(dW, [-1.0, 0.0, 1.0])


def test_layer_norm_of_more_dimensions_is_over_the_last():
    """Against the formula row by row, and a numerical derivative of Σ dy · y."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 4, 5))
    gain, bias = rng.normal(size=(2, 5))
    op = REGISTRY["layer_norm"]()
    assert op.shape((ROWS, 4, 5), (5,), (5,)) == (ROWS, 4, 5)
    with pytest.raises(ShapeError, match="gain and bias"):
        op.shape((ROWS, 4, 5), (5,), (4, 5))

    def y_of(x):
        out = np.empty_like(x)
        for place in np.ndindex(x.shape[:-1]):
            row = x[place]
            out[place] = gain * (row - row.mean()) / np.sqrt(row.var() + 1e-5) + bias
        return out

    np.testing.assert_allclose(op.forward(x, gain, bias), y_of(x), rtol=1e-12)
    dx = op.backward(dy, x, gain, bias, y_of(x))[0]
    for place in [(0, 0, 0), (1, 2, 3), (2, 3, 4)]:
        moved = np.zeros_like(x)
        moved[place] = 1e-6
        slope = np.sum(dy * (y_of(x + moved) - y_of(x - moved))) / 2e-6
        assert dx[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def reshaped(target, x):
    return REGISTRY["reshape"](target).shape(x)


def test_reshape_fills_one_open_size_and_refuses_what_does_not_fit():
    assert reshaped((ROWS, -1), (ROWS, 2, 6)) == (ROWS, 12)
    assert reshaped((ROWS, 1, -1), (ROWS, 6)) == (ROWS, 1, 6)
    assert reshaped((ROWS, 1, 6), (ROWS, 6)) == (ROWS, 1, 6)
    assert reshaped((-1, 4), (2, 6)) == (3, 4)
    for target, x in [
        ((ROWS, 4, -1), (ROWS, 6)),
        ((ROWS, 1, 5), (ROWS, 6)),
        ((ROWS, 5), (ROWS, 6)),
    ]:
        with pytest.raises(ShapeError, match="6 elements do not fit into"):
            reshaped(target, x)


def test_rows_are_never_joined_to_anything_along_themselves():
    concatenate = REGISTRY["concatenate"]
    with pytest.raises(ShapeError, match="rows cannot be joined"):
        concatenate(0).shape((ROWS, 2), (3, 2))
    with pytest.raises(ShapeError, match="rows cannot be joined"):
        concatenate(0).shape((ROWS, 2), (ROWS, 2))
    assert concatenate(1).shape((ROWS, 2), (ROWS, 3)) == (ROWS, 5)


def test_the_weighted_mean_takes_one_value_and_one_weight_a_row():
    mean = REGISTRY["weighted_mean"]()
    assert mean.shape((ROWS,), (ROWS,)) == ()
    for x, w in [((ROWS, 2), (ROWS, 2)), ((ROWS,), (4,)), ((ROWS,), (ROWS, 1))]:
        with pytest.raises(ShapeError):
            mean.shape(x, w)


def test_sizes_that_must_be_known_are_not_rows():
    assert known_size((2, 3, 4), "a reshape") == 24
    with pytest.raises(ShapeError, match="a reshape must not run over rows"):
        known_size((2, ROWS), "a reshape")
