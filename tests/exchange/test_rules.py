"""Each operation in each target against its own rule, and the list of what no target covers."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ExportError
from chainrule.exchange.numpy_rules import RULES as NUMPY
from chainrule.exchange.portable import Portable
from chainrule.exchange.walk import uncovered, walk
from chainrule.graph.node import Apply
from chainrule.ops import REGISTRY

TRAINING_ONLY = (
    "absolute_error",
    "binary_cross_entropy_with_logits",
    "huber",
    "l1",
    "l2",
    "poisson",
    "quantile",
    "softmax_cross_entropy",
    "squared_error",
    "weighted_mean",
)
"""Losses, penalties and the mean over rows: no prediction holds them."""

PREDICTING = tuple(sorted(set(REGISTRY) - set(TRAINING_ONLY)))
TOLERANCE = {"float64": 1e-7, "float32": 2e-6}


def rules_of(target):
    if target == "numpy":
        return NUMPY
    if target == "onnx":
        pytest.importorskip("onnx", reason="the extra [onnx]")
        from chainrule.exchange.onnx_rules import RULES
    else:
        pytest.importorskip("torch", reason="the extra [torch]")
        from chainrule.exchange.torch_rules import RULES
    return RULES


@pytest.mark.parametrize("target", ["numpy", "onnx", "torch"])
def test_the_full_list_of_what_is_not_covered(target):
    assert uncovered(rules_of(target)) == TRAINING_ONLY


def taken_of(op, operands, dtype):
    """The operation on parameters (and constant indices), as something to export."""
    leaves, parameters = [], {}
    for name, value in zip("abcdefgh", operands, strict=False):
        value = np.asarray(value)
        if value.dtype.kind in "iu":
            leaves.append(cr.constant(value))
        else:
            leaves.append(cr.parameter(f"p_{name}", value.shape))
            parameters[f"p_{name}"] = value.astype(dtype)
    node = Apply(op, tuple(leaves))
    return Portable("Test", node, node, parameters, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in PREDICTING if name != "dropout"])
def test_an_operation_says_what_its_rule_says(run, name, dtype):
    rng = np.random.default_rng(7)
    for _ in range(4):
        op, operands = REGISTRY[name].sample(rng, 4, 3)
        real = [np.asarray(x) for x in operands]
        real = [x if x.dtype.kind in "iu" else x.astype(dtype) for x in real]
        expected = np.asarray(op.forward(*real))
        found = run(taken_of(op, operands, dtype))["output"]
        assert found.shape == expected.shape
        assert found.dtype == np.dtype(dtype)
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*cr.networks.ACTIVATIONS, "softmax", "log_softmax"])
def test_far_out_nothing_overflows(run, name, dtype):
    x = np.array([[-1e4, -87.0, -20.0, -1e-4], [0.0, 1e-4, 20.0, 1e4]]).astype(dtype)
    op = REGISTRY[name]()
    found = run(taken_of(op, [x], dtype))["output"]
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(found, op.forward(x), rtol=tolerance, atol=tolerance)


def test_both_forms_of_gelu(run):
    x = np.linspace(-4, 4, 20).reshape(5, 4)
    for approximate in (False, True):
        op = REGISTRY["gelu"](approximate)
        found = run(taken_of(op, [x], "float64"))["output"]
        np.testing.assert_allclose(found, op.forward(x), atol=1e-7)


def network(output_of):
    x = cr.input("x", ("rows", 6))
    return Portable("Test", output_of(x), output_of(x), {}, np.dtype("float64"))


SHAPES = {
    "rows kept": lambda x: cr.reshape(x, ("rows", 2, 3)),
    "rows and the rest": lambda x: cr.reshape(x, ("rows", 3, -1)),
    "last axes summed": lambda x: cr.sum(cr.reshape(x, ("rows", 2, 3)), axis=(1, 2)),
    "joined": lambda x: cr.concatenate([x, x, cr.square(x)], axis=1),
    "many readers": lambda x: cr.silu(cr.exp(-x)) * cr.mish(x / 3) - cr.tanh(x) * x + 2.0,
    "dropped in training only": lambda x: cr.dropout(cr.relu(x), 0.5),
    "constants": lambda x: cr.maximum(x, np.linspace(-1, 1, 6)) ** 3 - np.full((1, 6), 0.5),
    "infinite constants": lambda x: cr.maximum(x, np.full(6, -np.inf)),
}


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_number_of_rows(run, shape, rows):
    taken = network(SHAPES[shape])
    x = np.random.default_rng(3).normal(size=(rows, 6))
    expected = cr.Trace(taken.scores, {"x": x}).forward()
    found = run(taken, x)["output"]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_embeddings(run):
    x, codes = cr.input("x", ("rows", 2)), cr.input("codes", ("rows", 3), dtype=int)
    E = cr.parameter("E", (5, 4))
    joined = cr.concatenate([cr.reshape(cr.take(E, codes), ("rows", 12)), x], axis=1)
    rng = np.random.default_rng(5)
    table = rng.normal(size=(5, 4))
    taken = Portable("Test", joined, joined, {"E": table}, np.dtype("float64"))
    given = {"codes": rng.integers(5, size=(7, 3)), "x": rng.normal(size=(7, 2))}
    found = run(taken, *(given[node.name] for node in taken.inputs))["output"]
    expected = np.hstack([table[given["codes"]].reshape(7, 12), given["x"]])
    np.testing.assert_allclose(found, expected)


def test_deep_graphs(run):
    def deep(x):
        for _ in range(300):
            x = cr.tanh(x + 0.01)
        return x

    taken, x = network(deep), np.ones((2, 6))
    np.testing.assert_allclose(run(taken, x)["output"], cr.Trace(taken.scores, {"x": x}).forward())


def test_what_has_no_rule_is_refused_by_name(run):
    taken = network(lambda x: cr.sum(cr.softmax(x), axis=1, name="total"))
    with pytest.raises(ExportError, match="Test: node 'total' is a 'sum', for which there is no"):
        walk((taken.scores,), lambda node: 0, {"softmax": lambda node, x: 0}, target="Test")
    loss = cr.squared_error(cr.parameter("s", (3, 6)), cr.parameter("u", (3, 6)), name="loss")
    with pytest.raises(ExportError, match="node 'loss' is a 'squared_error'"):
        run(Portable("Test", loss, loss, dict.fromkeys("su", np.zeros((3, 6))), np.dtype("f8")))


@pytest.mark.parametrize(
    "name", ["class", "np", "scores", "a b", "é", "float", "x'''", "predict", "a.b", "graph"]
)
def test_any_name_of_a_node(run, name):
    x = cr.input("x", ("rows", 2))
    W = cr.parameter(name, (2, 3))
    h = cr.tanh(x @ W, name=f"{name}2")
    taken = Portable("Test", h, h, {name: np.ones((2, 3))}, np.dtype("float64"))
    rows = np.array([[0.1, 0.2], [0.3, -0.4]])
    found = run(taken, rows)["output"]
    np.testing.assert_allclose(found, np.tanh(rows @ np.ones((2, 3))))
