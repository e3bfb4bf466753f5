"""Building graphs: shapes are checked before anything runs, names are unique, order is right."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import GraphError, OptionError, ShapeError
from chainrule.ops import REGISTRY


@pytest.fixture
def x():
    return cr.input("x", ("rows", 3))


def test_a_shape_error_names_operation_operands_and_shapes(x):
    W = cr.parameter("W", (4, 3))
    with pytest.raises(ShapeError) as caught:
        x @ W
    assert str(caught.value) == (
        "matmul(x (rows, 3), W (4, 3)): the inner sizes 3 and 4 must be equal; "
        "did you mean the transpose, .T?"
    )


def test_a_shape_error_names_operations_too(x):
    h = cr.sigmoid(x, name="hidden")
    with pytest.raises(ShapeError, match=r"^add\(hidden \(rows, 3\), b \(4,\)\): sizes 3 and 4"):
        h + cr.parameter("b", (4,))
    with pytest.raises(ShapeError, match=r"^multiply\(sigmoid \(rows, 3\), constant \(2,\)\)"):
        cr.sigmoid(x) * np.ones(2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: cr.add(x), r"add takes 2 operands \(a, b\), got 1"),
        (lambda x: cr.tanh(x, x), r"tanh takes 1 operand \(x\), got 2"),
        (lambda x: cr.Graph(), "at least one output"),
        (lambda x: cr.Graph(np.ones(3)), "must be a Node, got ndarray"),
        (lambda x: x**x, r"power takes a number as exponent"),
        (lambda x: bool(x), "neither true nor"),
        (lambda x: list(x), "cannot be iterated"),
        (lambda x: x + "a", "must be numbers, got <U1"),
        (lambda x: x + cr.input("i", ("rows", 3), dtype=int), "holds integers.*dtype=float"),
        (lambda x: cr.l2(strength=1.0), "at least one parameter"),
        (lambda x: cr.Graph(x)["y"], "no node is called 'y'; there are: x"),
    ],
)
def test_what_is_no_graph(x, build, message):
    with pytest.raises(GraphError, match=message):
        build(x)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: cr.input("", ("rows", 3)), "needs a name"),
        (lambda: cr.input(None, ("rows", 3)), "needs a name"),
        (lambda: cr.input("x", (3,)), "the first size of data is 'rows'"),
        (lambda: cr.input("x", ("rows", 3), dtype=complex), "int or float"),
        (lambda: cr.parameter("W", ("rows", 3)), "sizes must be known"),
        (
            lambda: cr.sum(cr.parameter("W", (3,)), axes=0),
            "no option 'axes'; it has axis",
        ),
        (lambda: cr.dropout(cr.parameter("W", (3,)), rate=1), "rate must be"),
        (lambda: cr.l1(cr.parameter("W", (3,)), strength=-1), "strength must be"),
    ],
)
def test_options_of_leaves_and_functions(build, message):
    with pytest.raises(OptionError, match=message):
        build()


@pytest.mark.parametrize("shape", [(3, -1), (3, "rows"), (2.5,), (True,)])
def test_sizes_of_a_parameter(shape):
    with pytest.raises((ShapeError, OptionError), match="'W'"):
        cr.parameter("W", shape)


def test_two_leaves_of_one_name_are_refused():
    a, b = cr.parameter("W", (3,)), cr.parameter("W", (3,))
    with pytest.raises(GraphError, match="two nodes are called 'W'"):
        cr.Graph(a + b)


def test_nameless_nodes_get_names_that_are_free(x):
    taken = cr.tanh(x, name="tanh_2")
    first = cr.tanh(taken)
    second = cr.tanh(first)
    graph = cr.Graph(second)
    assert [graph.names[node] for node in graph] == ["x", "tanh_2", "tanh", "tanh_3"]
    assert graph["tanh_3"] is second
    assert "tanh_3" in graph
    assert second in graph
    assert "tanh_4" not in graph
    assert cr.tanh(x) not in graph


def test_every_node_comes_once_and_after_its_inputs(x):
    rng = np.random.default_rng(0)
    nodes = [x]
    for _ in range(200):
        i, j = rng.integers(len(nodes), size=2)
        nodes.append(nodes[i] + nodes[j])
    graph = cr.Graph(*nodes[-3:])
    position = {node: i for i, node in enumerate(graph.order)}
    assert len(position) == len(graph.order) == len(graph)
    assert all(position[one] < position[node] for node in graph for one in node.inputs)
    assert graph.depends_on((x,)) == set(graph.order)


def test_a_copy_keeps_where_parameters_start_and_shares_nothing(x):
    W = cr.parameter("W", (3, 2), init=cr.normal(0.5))
    graph = cr.Graph(cr.dropout(x @ W, 0.25, stream=3))
    again = copy.deepcopy(graph)
    assert repr(again) == repr(graph)
    assert again["W"] is not W
    assert again["W"].init == W.init
    assert again.masks[0].stream == 3


def test_leaves_by_kind():
    x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows",), dtype=int)
    W, b = cr.parameter("W", (3, 2)), cr.parameter("b", (2,))
    graph = cr.Graph(cr.softmax_cross_entropy(cr.dropout(x) @ W + b, t))
    assert (graph.inputs, graph.targets, graph.parameters) == ((x,), (t,), (W, b))
    assert [mask.rate for mask in graph.masks] == [0.5]
    assert graph.outputs[0].shape == ("rows",)


def test_every_operation_has_its_function():
    for name, op in REGISTRY.items():
        function = getattr(cr, name)
        assert callable(function)
        if name not in {"reshape", "concatenate", "dropout", "l1", "l2"}:
            assert function.__doc__ == op.__doc__


def test_operators_are_the_operations(x):
    W = cr.parameter("W", (3, 3))
    array = np.ones((3, 3))
    written = {
        "add": [x + 1, 1 + x, x + array[0]],
        "subtract": [x - 1, 1 - x, array[0] - x],
        "multiply": [x * 2, 2 * x, np.float32(2) * x],
        "divide": [x / 2, 2 / x],
        "matmul": [x @ W, x @ array, array @ W],
        "power": [x**2],
        "negate": [-x],
        "absolute": [abs(x)],
        "transpose": [W.T],
    }
    for name, nodes in written.items():
        assert [node.op.name for node in nodes] == [name] * len(nodes)


def test_operands_stay_on_their_side(x):
    values = {"x": np.full((1, 3), 4.0)}
    assert cr.Trace(1 - x, values).forward().tolist() == [[-3] * 3]
    assert cr.Trace(2 / x, values).forward().tolist() == [[0.5] * 3]
    assert cr.Trace(np.array([1.0, 2, 3]) - x, values).forward().tolist() == [[-3, -2, -1]]


def test_options_come_after_the_operands_or_by_name():
    x = cr.input("x", ("rows", 2))
    assert cr.scale(x, 1 / 255).op == cr.scale(x, factor=1 / 255).op
    assert cr.sum(x, 1, True).op == cr.sum(x, axis=1, keepdims=True).op
    with pytest.raises(OptionError, match="scale got twice the option 'factor'"):
        cr.scale(x, 2.0, factor=2.0)
    with pytest.raises(OptionError, match="scale has no option 'fctor'; it has factor"):
        cr.scale(x, fctor=2.0)
    with pytest.raises(GraphError, match="scale takes 1 operand"):
        cr.scale(x, 2.0, 3.0)


def test_arrays_and_numbers_of_numpy_meet_nodes():
    x = cr.input("x", ("rows", 3))
    two, row = np.float32(2.0), np.arange(3.0)
    X = np.arange(6.0).reshape(2, 3)
    for made, expected in (
        (row + x, row + X),
        (row - x, row - X),
        (two * x, 2 * X),
        (row / (x + 1), row / (X + 1)),
        (np.subtract(x, row), X - row),
        (x @ np.ones((3, 2)), X @ np.ones((3, 2))),
        (np.multiply(row, x), row * X),
    ):
        np.testing.assert_array_equal(cr.Trace(made, {"x": X}).forward(), expected)
    assert not np.any(row == x)
    assert np.all(row != x)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (np.square, r"np.square calculates with numbers, and h has none.*write cr.square\(…\)"),
        (np.abs, r"write cr.absolute\(…\)"),
        (lambda h: np.maximum(h, 0), r"write cr.maximum\(…\)"),
        (np.mean, r"write cr.mean\(…\)"),
        (lambda h: np.sum(h, axis=1), r"write cr.sum\(…\)"),
        (np.arctan, "np.arctan calculates.*chainrule's own functions: absolute, .*, tanh"),
        (lambda h: np.where(h, 1, 2), "np.where calculates"),
        (lambda h: np.add.reduce(h), "np.add calculates"),
    ],
)
def test_functions_of_numpy_are_refused_with_the_nodes_own(call, said):
    h = cr.tanh(cr.input("x", ("rows", 3)), name="h")
    with pytest.raises(TypeError, match=said):
        call(h)
