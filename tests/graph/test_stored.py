"""Graphs as plain data: what was stored comes back, and anything else is refused."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import GraphError
from chainrule.graph import Apply
from chainrule.ops import REGISTRY


def everything():
    """A graph with every kind of leaf and with options of every type."""
    x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows",), dtype=int)
    kind = cr.input("kind", ("rows",), dtype=int)
    table, W = cr.parameter("table", (4, 2)), cr.parameter("W", (5, 3))
    joined = cr.concatenate([cr.scale(x, factor=0.1), cr.take(table, kind)], name="joined")
    h = cr.gelu(cr.dropout(joined, 0.25, stream=3) @ W + np.arange(3), approximate=True)
    scores = cr.reshape(cr.sum(cr.reshape(h, ("rows", -1, 1)), axis=(2,)) ** 2, ("rows", 3))
    loss = cr.softmax_cross_entropy(scores, t, label_smoothing=0.1, name="loss")
    return cr.Graph(cr.mean(loss) + cr.l2(W, strength=0.5), scores)


STORED = everything().to_dict()


def values(rows=4):
    rng = np.random.default_rng(0)
    return {
        "x": rng.normal(size=(rows, 3)),
        "t": rng.integers(3, size=rows),
        "kind": rng.integers(4, size=rows),
        "table": rng.normal(size=(4, 2)),
        "W": rng.normal(size=(5, 3)),
    }


def test_what_was_stored_comes_back():
    graph = everything()
    again = cr.Graph.from_dict(json.loads(json.dumps(graph.to_dict())))
    assert again.to_dict() == graph.to_dict()
    assert repr(again) == repr(graph)
    ours, theirs = cr.Trace(graph, values()), cr.Trace(again, values())
    assert ours.forward() == theirs.forward()
    for name, gradient in ours.backward().items():
        np.testing.assert_array_equal(theirs.backward()[name], gradient)
    assert [(m.rate, m.stream) for m in again.masks] == [(0.25, 3)]
    assert len(again.outputs) == 2


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_operation_can_be_stored(name):
    op, inputs = REGISTRY[name].sample(np.random.default_rng(0), 3, 2)
    node = Apply(op, tuple(cr.constant(x) for x in inputs))
    again = cr.Graph.from_dict(json.loads(json.dumps(cr.Graph(node).to_dict()))).outputs[0]
    assert isinstance(again, Apply)
    assert again.op == op
    np.testing.assert_array_equal(cr.Trace(again, {}).forward(), op.forward(*inputs))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
def test_constants_keep_their_type(dtype):
    value = np.array([[0, 1], [1, 0]], dtype)
    again = cr.Graph.from_dict(cr.Graph(cr.constant(value, name="c")).to_dict())["c"]
    assert again.value.dtype == value.dtype
    np.testing.assert_array_equal(again.value, value)


def leaf(**changes):
    entry = {"kind": "input", "name": "x", "shape": ["rows", 3], "integer": False} | changes
    return {"nodes": [entry], "outputs": [0]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "malformed"),
        ([], "malformed"),
        (None, "malformed"),
        ({"nodes": [], "outputs": []}, "at least one output"),
        ({"nodes": [], "outputs": [0]}, "only refer to earlier nodes, got 0"),
        (leaf(shape=[3]), "first size of data"),
        (leaf(kind="parameter"), "sizes must be known"),
        (leaf(kind="parameter", shape=[-1]), "sizes must be integers"),
        (leaf(kind="socket"), "kind is unknown here: 'socket'"),
        (leaf(kind=["input"]), "kind is unknown"),
        (leaf(name=3), "must be a string, got 3"),
        (leaf(name=None), "needs a name"),
        (leaf(integer="yes"), "True or False"),
        (leaf(kind="mask", rate=1.5, stream=0), "rate must be"),
        (leaf(kind="mask", rate=0.5, stream="a"), "stream must be an integer"),
        (leaf(kind="constant", value=[1], dtype="object"), "must hold numbers, got 'object'"),
        (leaf(kind="constant", value=[300], dtype="uint8"), "malformed"),
        (leaf(kind="constant", value=["a"], dtype="float64"), "malformed"),
        (leaf(kind="operation", op="os.system", inputs=[], options={}), "unknown here"),
        (leaf(kind="operation", op="tanh", inputs=[0], options={}), "earlier nodes, got 0"),
        (leaf(kind="operation", op="tanh", inputs=[], options={}), "takes 1 operand"),
        (leaf(kind="operation", op="scale", inputs=[], options={"factor": "2"}), "factor must be"),
        (leaf(kind="operation", op="tanh", inputs=[], options={"a": 1}), "malformed"),
    ],
)
def test_data_that_no_graph_stored(data, message):
    with pytest.raises(GraphError, match=message):
        cr.Graph.from_dict(data)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.sampled_from([10**30, -(10**400)])
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["rows", "input", "mask", "parameter", "constant", "operation", "float32"])
    | st.sampled_from(sorted(REGISTRY)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["axis", "rate", "name", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(data, path=()):
    """Every path into nested lists and dicts."""
    yield path
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in entries:
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


PLACES = [path for path in places(STORED) if path]


@st.composite
def mutated(draw):
    data = copy.deepcopy(STORED)
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        parent = data
        try:
            for key in path[:-1]:
                parent = parent[key]
            action = draw(st.sampled_from(["replace", "remove", "repeat"]))
            if action == "replace":
                parent[path[-1]] = draw(JUNK)
            elif action == "remove":
                del parent[path[-1]]
            elif isinstance(parent, list):
                parent.append(parent[path[-1]])
        except (LookupError, TypeError):  # an earlier change has removed this place
            continue
    return data


@given(st.one_of(mutated(), JUNK, st.fixed_dictionaries({"nodes": JUNK, "outputs": JUNK})))
@settings(max_examples=600)
def test_hostile_data_gives_a_graph_or_a_graph_error(data):
    try:
        graph = cr.Graph.from_dict(data)
    except GraphError:
        return
    # what was accepted is sound: it prints, and it survives being stored again
    assert repr(graph)
    assert graph.to_dot()
    again = cr.Graph.from_dict(graph.to_dict())
    assert [node.shape for node in again] == [node.shape for node in graph]
