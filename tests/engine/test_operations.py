"""Every lowered operation against its NumPy rules, on rows and on parameters alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import engine
from chainrule.engine.rules import ROW_RULES, STATIC_RULES
from chainrule.graph import apply
from chainrule.ops import REGISTRY

ROWS = 37  # more than any number of columns here, so that a size tells what it is
LOSSES = [name for name, op in REGISTRY.items() if "target" in op.operands]


def test_the_list_of_unlowered_operations():
    assert engine.unlowered() == ["weighted_mean"]


def leaves(op, inputs, rng):
    """Nodes for the operands: rows as input + parameter, the rest as parameters."""
    nodes, values, data = [], {}, {}
    for i, (name, array) in enumerate(zip(op.operands * len(inputs), inputs, strict=False)):
        array = np.asarray(array)
        kind = int if array.dtype.kind in "iu" else float
        if array.shape[:1] != (ROWS,):
            values[f"p{i}"] = array
            nodes.append(cr.parameter(f"p{i}", array.shape))
        elif name in ("target", "mask") or kind is int:
            make = cr.target if name == "target" else cr.input
            nodes.append(make(f"x{i}", ("rows", *array.shape[1:]), dtype=kind))
            data[f"x{i}"] = array
        else:
            # a parameter of one row's shape lets the gradient of every unit be seen
            shift = rng.normal(size=array.shape[1:])
            values[f"p{i}"], data[f"x{i}"] = shift, array - shift
            x = cr.input(f"x{i}", ("rows", *array.shape[1:]))
            nodes.append(x + cr.parameter(f"p{i}", array.shape[1:]))
    return nodes, values, data


def as_row_loss(y, rng):
    """One number a row from a node of any shape, with another factor for every unit."""
    tail = tuple(int(size) for size in y.shape[1:])
    if not tail:
        return y
    weighted = y * rng.normal(size=tail)
    return cr.sum(weighted, axis=tuple(range(1, len(tail) + 1)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", sorted(ROW_RULES))
def test_on_rows(tools, name, dtype):
    met = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        op, inputs = REGISTRY[name].sample(rng, ROWS, int(rng.integers(1, 7)))
        if name == "reshape":
            op = REGISTRY[name](("rows", inputs[0].shape[1], 1))
        nodes, values, data = leaves(op, inputs, rng)
        couples = name in ("concatenate", "sum", "mean") and _couples_rows(op)
        if couples or not data:
            continue
        loss = as_row_loss(apply(op, *nodes), rng)
        if not values:
            values["unused"] = np.zeros(())
            loss = loss + cr.parameter("unused", ())
        met += 1
        tools.Case(loss, values, data, rng.uniform(0.1, 2, ROWS), dtype).check()
    assert met >= 3


def _couples_rows(op):
    axis = op.options["axis"]
    axes = (0, 1) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return any(one in (0, -2) for one in axes)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", sorted(STATIC_RULES))
def test_on_parameters_alone(tools, name, dtype):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        op, inputs = REGISTRY[name].sample(rng, 5, int(rng.integers(1, 6)))
        values = {f"p{i}": np.asarray(one) for i, one in enumerate(inputs)}
        y = apply(op, *(cr.parameter(key, value.shape) for key, value in values.items()))
        size = math.prod(y.shape)
        x = cr.input("x", ("rows", size))
        loss = cr.sum(x * cr.reshape(y, (size,)), axis=1)
        data = {"x": rng.normal(size=(ROWS, size))}
        tools.Case(loss, values, data, rng.uniform(0.1, 2, ROWS), dtype).check()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_as_the_result_and_inside_a_sum(tools, name, dtype):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        op, inputs = REGISTRY[name].sample(rng, ROWS, int(rng.integers(1, 7)))
        nodes, values, data = leaves(op, inputs, rng)
        weight = rng.uniform(0.1, 2, ROWS)
        row_loss = apply(op, *nodes)
        tools.Case(row_loss, values, data, weight, dtype).check()
        tools.Case(0.5 * row_loss + cr.square(row_loss), values, data, weight, dtype).check()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_used_many_times(tools, dtype):
    rng = np.random.default_rng(3)
    x, t = cr.input("x", ("rows", 4)), cr.target("t", ("rows", 4))
    W, s = cr.parameter("W", (4, 4)), cr.parameter("s", (4,))
    h = cr.tanh(x @ W + s)
    again = cr.tanh(h @ W + s) * h + h * s + cr.reshape(h, ("rows", 4)) * h
    wide = cr.concatenate([again, h, again], axis=1)
    both = cr.sum(wide * wide, axis=1) + cr.squared_error(again @ (W.T / 3.0 + W * W), t)
    values = {"W": rng.normal(size=(4, 4)), "s": rng.normal(size=4)}
    data = {"x": rng.normal(size=(ROWS, 4)), "t": rng.normal(size=(ROWS, 4))}
    tools.Case(both, values, data, rng.uniform(0.1, 2, ROWS), dtype).check()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_constants_take_no_gradient(tools, dtype):
    rng = np.random.default_rng(4)
    x, C = cr.input("x", ("rows", 3)), rng.normal(size=(3, 2))
    derived = cr.exp(cr.constant(C)) + cr.sum(cr.constant(C * C), axis=0)
    W = cr.parameter("W", (3, 2)) * derived + cr.constant(C.T).T
    loss = cr.sum(cr.tanh(x @ W + rng.normal(size=2)), axis=1)
    data = {"x": rng.normal(size=(ROWS, 3))}
    values = {"W": rng.normal(size=(3, 2))}
    tools.Case(loss, values, data, rng.uniform(0.1, 2, ROWS), dtype).check()


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu", "gelu", "silu"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_networks_of_every_width(tools, activation, dtype):
    for width in (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 48, 63, 64, 65, 70):
        tools.network((width, 71 - width, 1 + width % 11), activation, dtype=dtype).check()


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 255, 257, 1000])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_number_of_rows(tools, rows, dtype):
    tools.network((33, 7, 5), rows=rows, dtype=dtype).check()


def test_three_dimensions_and_embeddings(tools):
    rng = np.random.default_rng(0)
    x, c = cr.input("x", ("rows", 3)), cr.input("c", ("rows", 2), dtype=int)
    t = cr.target("t", ("rows", 5))
    frequency, E = cr.parameter("f", (3, 4)), cr.parameter("E", (6, 5))
    waves = cr.cos(cr.reshape(x, ("rows", 3, 1)) * frequency)
    flat = cr.concatenate(
        [cr.reshape(waves, ("rows", 12)), cr.reshape(cr.take(E, c), ("rows", 10))], axis=1
    )
    normal = cr.layer_norm(flat, cr.parameter("g", (22,)), cr.parameter("b", (22,)))
    loss = cr.huber(normal @ cr.parameter("W", (22, 5)), t, delta=0.7)
    shapes = {"f": (3, 4), "E": (6, 5), "g": (22,), "b": (22,), "W": (22, 5)}
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    data = {
        "x": rng.normal(size=(ROWS, 3)),
        "c": rng.integers(6, size=(ROWS, 2)),
        "t": rng.normal(size=(ROWS, 5)),
    }
    for dtype in ("float64", "float32"):
        tools.Case(loss, values, data, rng.uniform(0.1, 2, ROWS), dtype).check()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "gelu", "silu", "mish", "elu"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_far_out_nothing_overflows(name, dtype, tools):
    x = cr.input("x", ("rows",))
    y = getattr(cr, name)(x * cr.parameter("p", ()))
    points = np.array([-1e4, -100.0, -20.0, -1e-3, 0.0, 1e-3, 20.0, 100.0, 1e4])
    case = tools.Case(y, {"p": np.ones(())}, {"x": points}, np.ones(len(points)), dtype)
    case.check()
    value = case.compiled.forward(case.theta, points, y)
    trace = cr.Trace(y, {"x": points, "p": np.ones(())}, dtype=dtype)
    smallest = np.finfo(dtype).tiny  # what lies below counts as zero in the engine
    rtol = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(value, trace.forward(), rtol=rtol, atol=smallest)


def test_what_cannot_be_lowered_is_named(tools):
    x = cr.input("x", ("rows", 3))
    loss = cr.sum(x @ cr.softmax(cr.parameter("W", (3, 2)), name="weights"), axis=1)
    vector = cr.ParameterVector(cr.Graph(loss).parameters)
    program = engine.lower(loss, vector)
    assert engine.compile(loss, None, vector) is None
    assert "weights: no step for softmax on parameters alone" in program.describe()
    penalty = cr.exp(cr.l2(cr.parameter("V", (3,)), strength=1.0))
    assert engine.lower(loss, vector, penalty).not_lowered[0].startswith("exp")
