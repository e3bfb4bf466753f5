"""Running graphs: values, gradients, one node at a time, and what a trace refuses."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, GraphError, NumericalError, OptionError, ShapeError


def network(dropout=False):
    """A network with a reused node, a mask and several kinds of operations."""
    x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows",), dtype=int)
    W1, b1 = cr.parameter("W1", (3, 4)), cr.parameter("b1", (4,))
    W2 = cr.parameter("W2", (4, 2))
    h = cr.tanh(x @ W1 + b1, name="h")
    if dropout:
        h = cr.dropout(h, 0.25)
    scores = cr.concatenate([(h * h) @ W2, cr.sum(h, axis=1, keepdims=True)])
    loss = cr.mean(cr.softmax_cross_entropy(scores, t)) + cr.l2(W1, W2, strength=0.1)
    return cr.Graph(loss)


def leaves(rows=5, dtype=np.float64):
    rng = np.random.default_rng(0)
    reals = {"x": (rows, 3), "W1": (3, 4), "b1": (4,), "W2": (4, 2)}
    values = {name: rng.normal(size=shape).astype(dtype) for name, shape in reals.items()}
    return values | {"t": rng.integers(3, size=rows)}


# accumulation ----------------------------------------------------------------------------


def test_a_node_read_twice_gets_both_gradients():
    """A diamond: f = sin(w²) · w² + w², so f' = 2w (cos(w²) w² + sin(w²) + 1)."""
    w = cr.parameter("w", ())
    square = w * w
    trace = cr.Trace(cr.sin(square) * square + square, {"w": 0.7})
    s = 0.49
    assert trace.forward() == pytest.approx(np.sin(s) * s + s, rel=1e-15)
    gradient = trace.backward()
    assert gradient["w"] == pytest.approx(1.4 * (np.cos(s) * s + np.sin(s) + 1), rel=1e-14)


@pytest.mark.parametrize("times", [1, 2, 3, 7])
def test_one_node_as_every_operand(times):
    w = cr.parameter("w", (2,))
    trace = cr.Trace(cr.concatenate([w] * times, axis=0), {"w": [1.0, 2.0]})
    assert trace.backward()["w"].tolist() == [times, times]


def test_doubling_sixty_times():
    """2⁶⁰ paths lead to w; each node is visited once."""
    node = w = cr.parameter("w", ())
    for _ in range(60):
        node = node + node
    trace = cr.Trace(node, {"w": 1.0})
    assert trace.forward() == 2.0**60
    assert trace.backward()["w"] == 2.0**60
    assert sum(step.phase == "backward" for step in cr.Trace(node, {w: 1.0}).steps()) == 60


def test_backward_twice_does_not_add_up():
    trace = cr.Trace(network(), leaves())
    first = trace.backward()
    second = trace.backward()
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_gradients_are_never_changed_after_they_are_given():
    trace = cr.Trace(network(), leaves())
    first = {name: gradient.copy() for name, gradient in trace.backward().items()}
    given = trace.backward()
    trace.backward(seed=3.0)
    for name, gradient in given.items():
        np.testing.assert_array_equal(gradient, first[name])


def test_the_seed_scales_the_gradient():
    x = cr.input("x", ("rows", 2))
    trace = cr.Trace(cr.sum(x * x, axis=1), {"x": [[1.0, 2], [3, 4]]})
    np.testing.assert_array_equal(trace.backward(seed=[10.0, 0])["x"], [[20, 40], [0, 0]])
    with pytest.raises(ShapeError, match="seed must have the output's shape"):
        trace.backward(seed=[1.0])


# stepping --------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("dropout", [True, False])
def test_stepping_is_the_same_as_running(keep, dropout):
    graph = network(dropout)
    whole = cr.Trace(graph, leaves())
    gradients = whole.backward()
    stepped = cr.Trace(graph, leaves(), keep=keep)
    steps = list(stepped.steps())
    forward = [step for step in steps if step.phase == "forward"]
    backward = [step for step in steps if step.phase == "backward"]
    operations = [node for node in graph if node.inputs]
    assert [step.node for step in forward] == operations
    assert [step.node for step in backward] == operations[::-1]
    assert stepped.forward_step() is None
    assert stepped.backward_step() is None
    for step in forward:
        np.testing.assert_array_equal(step.value, whole.value(step.name))
    for step in backward:
        np.testing.assert_array_equal(step.gradient, gradients[step.name])
    for leaf in (*graph.inputs, *graph.parameters):
        np.testing.assert_array_equal(stepped.gradient(leaf), gradients[leaf.name])


def test_what_steps_pass_on_adds_up_to_the_gradients():
    graph = network()
    trace = cr.Trace(graph, leaves())
    passed: dict[str, np.ndarray] = {}
    for step in trace.steps():
        for name, gradient in step.passed.items():
            passed[name] = passed.get(name, 0) + gradient
    for name, gradient in passed.items():
        np.testing.assert_allclose(gradient, trace.gradient(name), rtol=1e-15)


def test_one_step_forward_has_one_value_more():
    trace = cr.Trace(network(), leaves())
    with pytest.raises(GraphError, match="'h' has no value yet"):
        trace.value("h")
    while trace.forward_step().name != "h":
        pass
    np.testing.assert_allclose(
        trace.value("h"), np.tanh(leaves()["x"] @ leaves()["W1"] + leaves()["b1"])
    )
    with pytest.raises(GraphError, match="'h' has no gradient yet"):
        trace.gradient("h")
    assert "·" in repr(trace)
    trace.backward()
    assert trace.gradient("h").shape == (5, 4)


def test_restart_forgets_what_was_computed():
    trace = cr.Trace(network(), leaves(), keep=False)
    first = trace.backward()["W1"]
    with pytest.raises(GraphError, match="keep=False runs backward once"):
        trace.backward()
    trace.restart()
    np.testing.assert_array_equal(trace.backward()["W1"], first)


# memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dropout", [True, False])
def test_freeing_changes_no_bit(dtype, dropout):
    graph = network(dropout)
    kept = cr.Trace(graph, leaves(dtype=dtype))
    frugal = cr.Trace(graph, leaves(dtype=dtype), keep=False)
    assert kept.forward() == frugal.forward()
    everything = kept.backward()
    for name, gradient in frugal.backward().items():
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, everything[name])
    assert frugal.value(graph.outputs[0]) == kept.value(graph.outputs[0])


def test_what_was_freed_is_not_shown():
    trace = cr.Trace(network(), leaves(), keep=False)
    trace.backward()
    for read in (trace.value, trace.gradient):
        with pytest.raises(GraphError, match="'h' was freed|of 'h' was freed"):
            read("h")
    assert "nan" not in repr(trace)
    trace.check_finite()  # freed values are no NaNs


@pytest.mark.parametrize("keep", [True, False])
def test_gradients_of_the_nodes_asked_for_only(keep):
    graph = network()
    everything = cr.Trace(graph, leaves()).backward()
    trace = cr.Trace(graph, leaves(), wrt=graph.parameters, keep=keep)
    gradients = trace.backward()
    assert set(gradients) == {"W1", "b1", "W2"}
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, everything[name])
    with pytest.raises(GraphError, match="gradient of 'x' was not asked for"):
        trace.gradient("x")
    assert cr.Trace(graph, leaves(), wrt=()).backward() == {}


def test_what_the_output_does_not_depend_on_has_gradient_zero():
    a, b = cr.parameter("a", (2,)), cr.parameter("b", (2,))
    trace = cr.Trace([cr.sum(a), cr.sum(b)], {"a": [1.0, 2], "b": [3.0, 4]})
    assert "b" not in trace.backward()
    assert trace.gradient("b").tolist() == [0, 0]
    assert trace.value("b").tolist() == [3, 4]


# leaves ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"W1": None}, GraphError, "no value for the parameter 'W1'; give one by name"),
        ({"W3": np.ones(3)}, GraphError, "no node is called 'W3'"),
        ({"h": np.ones((5, 4))}, GraphError, "'h' is computed"),
        ({"W1": np.ones((4, 3))}, ShapeError, r"'W1': expected shape \(3, 4\), got \(4, 3\)"),
        ({"x": np.ones(3)}, ShapeError, r"'x': expected shape \(rows, 3\), got \(3,\)"),
        ({"x": np.ones((4, 3))}, ShapeError, "'t' has 5 rows but 'x' has 4"),
        ({"x": np.full((5, 3), "a")}, DataError, "'x': expected numbers, got dtype <U1"),
        ({"x": np.full((5, 3), None)}, DataError, "got dtype object"),
        ({"t": np.zeros(5)}, DataError, "'t': expected integers, got dtype float64"),
    ],
)
def test_leaves_that_do_not_fit(change, error, message):
    values = {name: value for name, value in (leaves() | change).items() if value is not None}
    with pytest.raises(error, match=message):
        cr.Trace(network(), values)


def test_a_leaf_is_given_once():
    graph = network()
    with pytest.raises(GraphError, match="'x' is given twice"):
        cr.Trace(graph, leaves() | {graph["x"]: np.ones((5, 3))})


def test_a_constant_takes_no_value():
    w, c = cr.parameter("w", ()), cr.constant(2.0, name="c")
    with pytest.raises(GraphError, match="'c' is a constant"):
        cr.Trace(w * c, {"w": 1.0, "c": 3.0})


def test_a_stranger_is_refused():
    with pytest.raises(GraphError, match="not part of this graph"):
        cr.Trace(network(), leaves()).value(cr.parameter("W1", (3, 4)))


def test_masks_default_to_ones_and_can_be_given():
    graph = network(dropout=True)
    plain = cr.Trace(network(), leaves()).forward()
    assert cr.Trace(graph, leaves()).forward() == plain
    (mask,) = graph.masks
    ones = cr.Trace(graph, leaves() | {mask: np.ones((5, 4))})
    assert ones.forward() == plain
    dropped = cr.Trace(graph, leaves() | {mask: np.zeros((5, 4))})
    dropped.backward()
    np.testing.assert_array_equal(dropped.gradient("b1"), np.zeros(4))
    with pytest.raises(ShapeError, match="rows"):
        cr.Trace(graph, leaves() | {mask: np.ones((4, 4))})


# precision -------------------------------------------------------------------------------


def test_the_precision_is_that_of_the_parameters():
    graph = network(dropout=True)
    single = cr.Trace(graph, leaves(dtype=np.float32))
    single.backward()
    for node in graph:
        if node is not graph["t"]:
            assert single.value(node).dtype == np.float32
            assert single.gradient(node).dtype == np.float32
    mixed = leaves() | {"W1": leaves()["W1"].astype(np.float32)}
    assert cr.Trace(graph, mixed).forward().dtype == np.float64
    asked = cr.Trace(graph, leaves(), dtype=np.float32)
    assert asked.backward()["W1"].dtype == np.float32
    np.testing.assert_array_equal(asked.gradient("W1"), single.gradient("W1"))


def test_a_precision_must_be_real():
    with pytest.raises(OptionError, match="floating-point dtype, got int64"):
        cr.Trace(network(), leaves(), dtype=int)


@pytest.mark.parametrize("number", [3, np.array([1, 2]), np.array([True, False]), np.int64(2)])
def test_whole_numbers_in_a_formula_do_not_widen_it(number):
    w = cr.parameter("w", (2,))
    trace = cr.Trace(w * number + number, {"w": np.ones(2, np.float32)})
    assert trace.forward().dtype == np.float32
    assert trace.backward()["w"].dtype == np.float32
    np.testing.assert_array_equal(trace.forward(), 2 * np.ones(2) * number)


def test_raw_bytes_are_an_input():
    x, W = cr.input("x", ("rows", 2)), cr.parameter("W", (2, 1))
    grey = np.array([[0, 255], [128, 64]], np.uint8)
    for dtype in (np.float32, np.float64):
        trace = cr.Trace(cr.scale(x, factor=1 / 255) @ W, {"x": grey, "W": np.ones((2, 1), dtype)})
        assert trace.forward().dtype == dtype
        np.testing.assert_allclose(trace.forward(), [[1], [192 / 255]], rtol=1e-6)


def test_indices_stay_integers():
    table = cr.parameter("table", (3, 2))
    rows = cr.take(table, np.array([2, 0], np.uint8))
    one = cr.take(table, 1)
    values = np.arange(6.0).reshape(3, 2)
    assert cr.Trace(rows, {"table": values}).forward().tolist() == [[4, 5], [0, 1]]
    assert cr.Trace(one, {"table": values}).forward().tolist() == [2, 3]
    assert cr.Trace(one, {"table": values}).backward()["table"].tolist() == [[0, 0], [1, 1], [0, 0]]


# numbers that go wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "name", "cause"),
    [(800.0, "exp", "infinity"), (np.nan, "w", "NaN"), (-np.inf, "w", "infinity")],
)
def test_the_first_node_that_is_not_finite_is_named(value, name, cause):
    w = cr.parameter("w", ())
    trace = cr.Trace(cr.exp(w) - cr.exp(w + 1), {"w": value})
    trace.forward()
    with pytest.raises(NumericalError, match=rf"^{name}.* is {cause}") as caught:
        trace.check_finite(step=7)
    assert (caught.value.layer, caught.value.step, caught.value.cause) == (name, 7, cause)


def test_an_overflow_runs_on_without_a_warning():
    w = cr.parameter("w", (2,))
    trace = cr.Trace(cr.sum(cr.log(w)), {"w": [0.0, -1.0]})
    assert np.isnan(trace.forward())
    assert trace.backward()["w"].tolist() == [np.inf, -1]


def test_a_leaf_alone_is_a_graph():
    w = cr.parameter("w", (2,))
    trace = cr.Trace(w, {"w": [1.0, 2]})
    assert trace.forward().tolist() == [1, 2]
    assert trace.backward()["w"].tolist() == [1, 1]
