"""Activations with what stands around them as one step: which graphs get it, equal numbers."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr

ACTIVATIONS = ("sigmoid", "tanh", "relu", "selu", "gelu", "silu", "softplus", "mish")


def learnt(z, a, f):
    return z + a * (f(z) - z)


def case_of(tools, build, dtype, rows=107):
    """A network x → z → ``build(z, a, W)`` → scores, with data."""
    rng = np.random.default_rng(3)
    x, t = cr.input("x", ("rows", 7)), cr.target("t", ("rows",), dtype=int)
    shapes = {"W1": (7, 18), "b1": (18,), "a": (18,), "W2": (18, 3)}
    p = {name: cr.parameter(name, shape) for name, shape in shapes.items()}
    scores = build(x @ p["W1"] + p["b1"], p["a"], p["W2"])
    loss = cr.softmax_cross_entropy(scores + 0.0 * cr.sum(p["a"]), t)
    values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    data = {"x": rng.normal(size=(rows, 7)), "t": rng.integers(3, size=rows)}
    return tools.Case(loss, values, data, rng.uniform(0.1, 2, size=rows), dtype)


def gates(case):
    return [step for step in case.program.forward if step.op == "gate"]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_learnt_share_of_any_activation_before_scaled_weights(tools, name, dtype):
    f = getattr(cr, name)
    case = case_of(
        tools, lambda z, a, W: cr.dropout(learnt(z, a, f), 0.2) @ cr.scale(W, 0.3), dtype
    )
    (gate,) = gates(case)
    assert (gate.code, gate.alpha) == (name, 0.3)
    assert [one.space for one in gate.operands] == ["rows", "parameters", "rows"]
    assert all(step.op != "unary" for step in case.program.prologue)
    case.check()


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda z, a, W: learnt(z, a, cr.mish) @ W, 1),
        (lambda z, a, W: cr.dropout(cr.mish(z), 0.2) @ W, 1),
        (lambda z, a, W: cr.selu(z) @ cr.scale(W, 0.5), 1),
        (lambda z, a, W: cr.gelu(z, approximate=True) @ cr.scale(W, 0.5), 1),
        # nothing to gain: the activation alone; what the product takes along; options of its own
        (lambda z, a, W: cr.mish(z) @ W, 0),
        (lambda z, a, W: cr.relu(z) @ cr.scale(W, 0.5), 0),
        (lambda z, a, W: cr.dropout(cr.elu(z), 0.2) @ W, 0),
        # somebody else reads what would disappear
        (lambda z, a, W: learnt(z, a, cr.mish) @ W + cr.sum(z, axis=1, keepdims=True), 0),
        (lambda z, a, W: (f := cr.mish(z)) @ cr.scale(W, 0.5) + cr.sum(f, 1, keepdims=True), 0),
        (lambda z, a, W: (z + a * (cr.mish(z) - 2.0 * z)) @ W, 0),
        (lambda z, a, W: cr.mish(z) @ (w := cr.scale(W, 0.5)) + cr.selu(z) @ w, 0),
    ],
)  # fmt: skip
def test_which_graphs_get_one(tools, build, count):
    case = case_of(tools, build, "float64")
    assert len(gates(case)) == count
    case.check()


def test_a_row_loss_that_is_an_activation_keeps_the_rows_weights(tools):
    rng = np.random.default_rng(0)
    x, w = cr.input("x", ("rows", 5)), cr.parameter("w", (5, 1))
    z = x @ w + cr.parameter("b", (1,))
    loss = cr.reshape(learnt(z, cr.parameter("a", (1,)), cr.softplus), ("rows",))
    values = {"w": rng.normal(size=(5, 1)), "b": np.ones(1), "a": np.full(1, 0.7)}
    case = tools.Case(
        loss, values, {"x": rng.normal(size=(50, 5))}, rng.uniform(0.1, 2, 50), "float64"
    )
    assert len(gates(case)) == 1
    case.check()
