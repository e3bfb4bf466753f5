"""RealMLP and its layers against the recipe written in plain NumPy."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, OptionError, ShapeError
from chainrule.networks.realmlp import PRESETS, realmlp
from chainrule.networks.tabular import FrontScale, NTKDense, ParametricActivation, PeriodicEmbedding

TASKS = ("classification", "regression")
SELU = (1.0507009873554805, 1.6732632423543772)


def activation(task, z):
    if task == "classification":
        return SELU[0] * np.where(z > 0, z, SELU[1] * np.expm1(np.minimum(z, 0)))
    return z * np.tanh(np.logaddexp(0, z))


def data(rows=40, dense=3, cardinalities=(4, 11), seed=0):
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(size, size=rows) for size in cardinalities])
    return rng.normal(size=(rows, dense)), codes.astype(np.int32)


def by_hand(name, task, p, x, codes, starts=(0, 4)):
    """The network, one line an ingredient."""
    if name == "td":
        z = 2 * np.pi * x[:, :, None] * p["wave_w1"] + p["wave_b1"]
        mixed = np.einsum("rdf,dfm->rdm", np.cos(z), p["wave_V1"]) + p["wave_c1"]
        x = np.concatenate([x[:, :, None], mixed], axis=2).reshape(len(x), -1)
    y = np.hstack([x, *(p["E"][codes[:, i] + start] for i, start in enumerate(starts))])
    y = y * p["front1"]
    for layer in (1, 2, 3):
        z = y @ p[f"W{layer}"] / np.sqrt(y.shape[1]) + p[f"b{layer}"]
        f = activation(task, z)
        y = z + p[f"a{layer}"] * (f - z) if name == "td" else f
    return y @ p["W4"] / np.sqrt(y.shape[1]) + p["b4"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["td", "td-s"])
def test_scores_are_the_recipe(name, task):
    x, codes = data()
    network = realmlp(3, 2, cardinalities=(4, 11), preset=PRESETS[name, task], hidden=(7, 6, 5))
    rng = np.random.default_rng(1)
    shapes = cr.ParameterVector(cr.Graph(network.scores).parameters).shapes
    p = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    scores = cr.Trace(network.scores, {**p, **network.inputs(x, codes)}).forward()
    np.testing.assert_allclose(scores, by_hand(name, task, p, x, codes), rtol=1e-10, atol=1e-12)


def test_shapes_of_the_published_sizes():
    network = realmlp(5, 3, cardinalities=(10, 20), preset=PRESETS["td", "classification"])
    width = 5 * 4 + 2 * 8
    assert cr.ParameterVector(cr.Graph(network.scores).parameters).shapes == {
        "wave_w1": (5, 16), "wave_b1": (5, 16), "wave_V1": (5, 16, 3), "wave_c1": (5, 3),
        "E": (30, 8), "front1": (width,),
        "W1": (width, 256), "b1": (256,), "a1": (256,),
        "W2": (256, 256), "b2": (256,), "a2": (256,),
        "W3": (256, 256), "b3": (256,), "a3": (256,),
        "W4": (256, 3), "b4": (3,),
    }  # fmt: skip
    masks = cr.Graph(network.scores).masks
    assert [(mask.rate, mask.stream) for mask in masks] == [(0.15, 1), (0.15, 2), (0.15, 3)]
    assert cr.Graph(realmlp(5, 3, preset=PRESETS["td-s", "regression"]).scores).masks == ()


def test_rate_and_decay_factors():
    network = realmlp(2, 1, cardinalities=(5,), preset=PRESETS["td", "regression"], hidden=(4,))
    assert network.rate_factors() == {
        "front1": 6, "wave_w1": 0.1, "wave_b1": 0.1, "wave_V1": 0.1, "wave_c1": 0.1,
        "b1": 0.1, "a1": 0.1, "b2": 0.1,
    }  # fmt: skip
    assert network.decay_factors() == {
        "front1": 6, "wave_w1": 0.1, "wave_b1": 0.1, "wave_V1": 0.1, "wave_c1": 0.1, "E": 1,
        "W1": 1, "b1": 0, "a1": 0.1, "W2": 1, "b2": 0,
    }  # fmt: skip


@pytest.mark.parametrize("generator", [np.random.default_rng, np.random.RandomState, int])
def test_td_starts_from_the_rows(generator):
    x, codes = data(rows=300)
    network = realmlp(
        3, 2, cardinalities=(4, 11), preset=PRESETS["td", "classification"], hidden=(20, 10)
    )
    inputs = network.inputs(x, codes)
    p = network.initial(inputs, generator(3))
    for node, W, b in network.layers:
        known = {k: v for k, v in {**p, **inputs}.items() if k in names_below(node)}
        y = cr.Trace(node, known).forward()
        z = y @ p[W] / np.sqrt(y.shape[1])
        np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-10)
        # −b is a mean of five rows: inside the data, and not their middle
        assert (z.min(axis=0) <= -p[b]).all()
        assert (-p[b] <= z.max(axis=0)).all()
        assert (-p[b]).std() > 0.1
    np.testing.assert_array_equal(p["front1"], 1)
    np.testing.assert_array_equal(p["a1"], 1)
    assert np.abs(p["wave_V1"]).max() <= 0.25
    assert np.abs(p["wave_b1"]).max() <= np.pi
    again = network.initial(inputs, generator(3))
    assert all(again[name].tobytes() == value.tobytes() for name, value in p.items())


def names_below(node):
    graph = cr.Graph(node)
    return {leaf.name for leaf in (*graph.parameters, *graph.inputs)}


def test_spreads_at_the_start():
    network = realmlp(400, 1, cardinalities=(5000,), preset=PRESETS["td", "regression"])
    x, codes = data(50, 400, (5000,))
    p = network.initial(network.inputs(x, codes), 0)
    np.testing.assert_allclose(p["wave_w1"].std(), 0.1, rtol=0.05)
    np.testing.assert_allclose(p["wave_b1"].std(), np.pi / np.sqrt(3), rtol=0.05)
    np.testing.assert_allclose(p["wave_V1"].std(), 0.25 / np.sqrt(3), rtol=0.05)
    np.testing.assert_allclose(p["E"].std(), 1, rtol=0.05)


def test_td_s_starts_at_a_constant():
    network = realmlp(3, 2, preset=PRESETS["td-s", "classification"], hidden=(50, 60))
    x, codes = data(cardinalities=(4,))
    p = network.initial(network.inputs(x, codes), 0)
    np.testing.assert_allclose(p["W2"].std(), 1, rtol=0.1)
    np.testing.assert_allclose(p["b1"].std(), 1, rtol=0.3)
    assert not p["W3"].any()
    assert not p["b3"].any()


@pytest.mark.parametrize("rows", [1, 2])
def test_few_or_equal_rows_start_finite(rows):
    network = realmlp(2, 1, preset=PRESETS["td", "regression"], hidden=(4,))
    inputs = network.inputs(np.ones((rows, 2)), np.zeros((rows, 0), np.int32))
    assert list(inputs) == ["x"]
    assert all(np.isfinite(value).all() for value in network.initial(inputs, 0).values())


def test_codes_alone_are_enough():
    network = realmlp(0, 1, cardinalities=(3,), preset=PRESETS["td", "regression"], hidden=(4,))
    inputs = network.inputs(np.zeros((2, 0)), np.array([[0], [2]], np.int32))
    assert list(inputs) == ["codes"]
    assert network.initial(inputs, 0)["E"].shape == (3, 8)


@pytest.mark.parametrize("name", ["td", "td-s"])
def test_gradients_are_differences(name):
    x, codes = data(rows=6)
    network = realmlp(
        3, 1, cardinalities=(4, 11), preset=PRESETS[name, "regression"], hidden=(5, 4)
    )
    J = cr.Objective(cr.squared_error(network.scores, cr.target("t", ("rows", 1))), compiled=False)
    inputs, y = network.inputs(x, codes), np.arange(6.0)[:, None]
    theta = np.random.default_rng(2).normal(size=J.vector.size)
    _, gradient = J(theta, inputs, y)
    v = np.random.default_rng(3).normal(size=len(theta))
    h = 1e-6
    slope = (J(theta + h * v, inputs, y)[0] - J(theta - h * v, inputs, y)[0]) / (2 * h)
    np.testing.assert_allclose(gradient @ v, slope, rtol=1e-6)


def test_the_compiled_network_is_the_same():
    x, codes = data(rows=70)
    network = realmlp(
        3, 4, cardinalities=(4, 11), preset=PRESETS["td", "classification"], hidden=(16, 16)
    )
    loss = cr.softmax_cross_entropy(network.scores, cr.target("t", dtype=int), label_smoothing=0.1)
    plain, compiled = (cr.Objective(loss, compiled=flag) for flag in (False, True))
    inputs = network.inputs(x, codes)
    theta = plain.pack(network.initial(inputs, 0))
    y = np.arange(70) % 4
    (expected, slope), (got, own) = plain(theta, inputs, y), compiled(theta, inputs, y)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose(own, slope, rtol=1e-9, atol=1e-12)


def test_layers_by_themselves():
    x = cr.input("x", ("rows", 2))
    X = np.array([[1.0, -2.0], [0.5, 3.0]])
    layers = [FrontScale(), NTKDense(3, init=1.0, bias_init=0.5), ParametricActivation("relu")]
    node = cr.sequential(layers, x)
    vector = cr.ParameterVector(cr.Graph(node).parameters)
    p = vector.unpack(vector.initial(0))
    assert list(p) == ["front1", "W1", "b1", "a1"]
    p["front1"][:] = [2, 1]
    p["a1"][:] = [0, 0.5, 1]
    z = (X @ np.array([2, 1]) / np.sqrt(2) + 0.5)[:, None]
    expected = np.hstack([z, z + 0.5 * (np.maximum(z, 0) - z), np.maximum(z, 0)])
    np.testing.assert_allclose(cr.Trace(node, {"x": X, **p}).forward(), expected)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: NTKDense(0), OptionError, "NTKDense: units must be an integer ≥ 1, got 0"),
        (lambda: PeriodicEmbedding(size=1), OptionError, "size must be at least 2, got 1"),
        (lambda: PeriodicEmbedding(frequencies=0), OptionError, "frequencies must be an integer"),
        (lambda: ParametricActivation("rellu"), OptionError, "activation must be one of"),
        (
            lambda: FrontScale()(cr.input("x", ("rows", 2, 2))),
            ShapeError,
            "FrontScale reads a table",
        ),
        (
            lambda: realmlp(0, 1, preset=PRESETS["td", "regression"]),
            DataError,
            "at least one feature",
        ),
        (
            lambda: realmlp(1, 1, preset=PRESETS["td", "regression"], cardinalities=(0,)),
            OptionError,
            "cardinalities must be an integer ≥ 1, got 0",
        ),
        (
            lambda: realmlp(1, 1, preset=PRESETS["td", "regression"], hidden=(4, -1)),
            OptionError,
            "NTKDense: units must be an integer ≥ 1, got -1",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
