"""Layers build graphs: names, shapes and values against plain NumPy."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import OptionError, ShapeError
from chainrule.networks import ACTIVATIONS


def run(node, **values):
    vector = cr.ParameterVector(cr.Graph(node).parameters)
    theta = vector.initial(0)
    return cr.Trace(node, {**vector.unpack(theta), **values}).forward(), vector.unpack(theta)


def test_dense_is_the_lectures_layer():
    x = cr.input("x", ("rows", 3))
    X = np.random.default_rng(1).normal(size=(5, 3))
    scores = cr.sequential([cr.Dense(4, "sigmoid"), cr.Dense(4, "sigmoid"), cr.Dense(1)], x)
    value, p = run(scores, x=X)
    assert {name: part.shape for name, part in p.items()} == {
        "W1": (3, 4), "b1": (4,), "W2": (4, 4), "b2": (4,), "W3": (4, 1), "b3": (1,),
    }  # fmt: skip
    h1 = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
    h2 = 1 / (1 + np.exp(-(h1 @ p["W2"] + p["b2"])))
    np.testing.assert_allclose(value, h2 @ p["W3"] + p["b3"], rtol=1e-13)


def test_dense_without_bias_has_no_b():
    x = cr.input("x", ("rows", 3))
    _, p = run(cr.Dense(2, bias=False)(x), x=np.ones((1, 3)))
    assert list(p) == ["W1"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_named_activation_is_that_operation(name):
    x = cr.input("x", ("rows", 3))
    X = np.random.default_rng(2).normal(size=(4, 3))
    value, p = run(cr.Dense(2, name)(x), x=X)
    z = cr.input("z", ("rows", 2))
    expected = cr.Trace(getattr(cr, name)(z), {"z": X @ p["W1"] + p["b1"]}).forward()
    np.testing.assert_allclose(value, expected, rtol=1e-13)


def test_an_activation_may_be_a_function_of_ones_own():
    x = cr.input("x", ("rows", 2))
    value, p = run(cr.Dense(2, lambda z: cr.square(z) + 1)(x), x=np.ones((3, 2)))
    np.testing.assert_allclose(value, (np.ones((3, 2)) @ p["W1"]) ** 2 + 1)


def test_layer_norm_starts_as_plain_normalisation():
    x = cr.input("x", ("rows", 6))
    X = np.random.default_rng(3).normal(2, 5, size=(4, 6))
    value, p = run(cr.LayerNorm(epsilon=0.0)(x), x=X)
    assert list(p) == ["gain1", "shift1"]
    np.testing.assert_allclose(value.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(value.std(axis=1), 1, rtol=1e-12)


def test_embedding_looks_up_learnt_rows():
    x = cr.input("x", ("rows",), dtype=int)
    value, p = run(cr.Embedding(5, 3)(x), x=[4, 0, 4])
    np.testing.assert_array_equal(value, p["E1"][[4, 0, 4]])


def test_dropout_does_nothing_until_a_mask_is_drawn():
    x = cr.input("x", ("rows", 4))
    X = np.ones((2, 4))
    node = cr.sequential([cr.Dropout(0.5), cr.Dropout(0.25)], x)
    graph = cr.Graph(node)
    assert [(mask.rate, mask.stream) for mask in graph.masks] == [(0.5, 1), (0.25, 2)]
    np.testing.assert_array_equal(run(node, x=X)[0], X)
    mask = np.array([[0.0, 2.0, 0.0, 2.0]] * 2)
    dropped = cr.Trace(graph, {"x": X, graph.masks[0]: mask}).forward()
    np.testing.assert_array_equal(dropped, mask)


def test_layers_number_their_own_kind():
    x = cr.input("x", ("rows", 4))
    layers = [cr.LayerNorm(), cr.Dense(3, "relu"), cr.Dropout(0.1), cr.LayerNorm(), cr.Dense(2)]
    names = [node.name for node in cr.Graph(cr.sequential(layers, x)).parameters]
    assert names == ["gain1", "shift1", "W1", "b1", "gain2", "shift2", "W2", "b2"]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: cr.Dense(0), OptionError, "units must be an integer ≥ 1, got 0"),
        (lambda: cr.Dense(2.5), OptionError, "units must be an integer ≥ 1, got 2.5"),
        (lambda: cr.Dense(2, "rellu"), OptionError, "activation must be one of.*got 'rellu'"),
        (lambda: cr.Dropout(1.0), OptionError, r"rate must be in \[0, 1\)"),
        (lambda: cr.LayerNorm(-1.0), OptionError, "epsilon"),
        (lambda: cr.Embedding(0, 2), OptionError, "categories must be an integer ≥ 1"),
        (
            lambda: cr.Dense(2)(cr.input("x", ("rows", 2, 3))),
            ShapeError,
            r"Dense reads a table \(rows, columns\), got x \(rows, 2, 3\)",
        ),
        (
            lambda: cr.sequential(["relu"], cr.input("x", ("rows", 2))),
            OptionError,
            "expected layers such as Dense",
        ),
    ],
)
def test_layers_refuse_what_they_cannot_be(make, error, message):
    with pytest.raises(error, match=message):
        make()
