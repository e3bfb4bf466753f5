"""Graphs as SVG: every node, every line, the right numbers at the right lines, nothing overlaps."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import GraphError
from chainrule.graph.layers import layers_of
from chainrule.graph.layout import apart
from chainrule.graph.wires import brief

SVG = "{http://www.w3.org/2000/svg}"


def network(hidden=(20,), columns=64, classes=10):
    x = h = cr.input("x", ("rows", columns))
    t = cr.target("t", ("rows",), dtype=int)
    weights = []
    for i, units in enumerate([*hidden, classes], start=1):
        weights.append(cr.parameter(f"W{i}", (int(h.shape[1]), units), init=cr.normal(0.1)))
        h = h @ weights[-1] + cr.parameter(f"b{i}", (units,), init=0.1)
        h = cr.sigmoid(h) if i <= len(hidden) else h
    return x, cr.Objective(cr.softmax_cross_entropy(h, t), penalty=cr.l2(*weights, strength=0.01))


def traced(rows=30, **sizes):
    x, objective = network(**sizes)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, int(x.shape[1])))
    trace = objective.trace(objective.initial(0), X, rng.integers(0, 3, rows))
    trace.backward()
    return trace


def read(text):
    return ElementTree.fromstring(text)


def groups(root, kind):
    return [g for g in root.iter(f"{SVG}g") if kind in g.get("class", "").split()]


def texts(group):
    return [text.text for text in group.iter(f"{SVG}text")]


def box(group):
    rect = group.find(f"{SVG}rect")
    if rect is None:
        return None
    x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_every_node_is_a_box_and_every_operand_a_line():
    graph = traced().graph
    root = read(graph.to_svg())
    named = [texts(group)[0] for group in groups(root, "node") if texts(group)]
    assert sorted(named) == sorted(graph.names.values())
    lines = {(one, node) for node in graph.order for one in node.inputs}
    assert len(groups(root, "edge")) == len(lines) + len(graph.outputs)


def test_one_neuron_with_its_numbers():
    """y = σ(w·x + b): ∂y/∂w = y (1 − y) x, written out here."""
    x, w, b = cr.input("x", ("rows", 2)), cr.parameter("w", (2, 1)), cr.parameter("b", (1,))
    y = cr.sigmoid(x @ w + b, name="y")
    trace = cr.Trace(y, {x: [[1.0, -2.0]], w: [[0.5], [0.25]], b: [0.1]})
    root = read(trace.to_svg())
    assert [texts(edge)[1:] for edge in groups(root, "edge")] == [[]] * 6  # nothing ran
    trace.backward()
    p = 1 / (1 + np.exp(-0.1))
    slope = p * (1 - p)
    numbers = {tuple(texts(edge)) for edge in groups(read(trace.to_svg()), "edge")}
    assert (brief(np.array([[0.5], [0.25]])), brief(slope * np.array([1.0, -2.0]))) in numbers
    assert (brief(np.array([[1.0, -2.0]])), brief(slope * np.array([0.5, 0.25]))) in numbers
    assert (brief(np.array([[p]])), "[1]") in numbers  # leaves as the output, its gradient is 1


def test_lines_carry_their_own_part_of_the_gradient():
    """q is read by three: what comes back along the lines adds up to its gradient."""
    q = cr.parameter("q", ())
    trace = cr.Trace(cr.sin(q) + q * 3 + cr.square(q), {q: 0.5})
    trace.backward()
    edges = groups(read(trace.to_svg()), "edge")
    parts = [float(texts(e)[1].replace("−", "-")) for e in edges if texts(e)[0] == "0.5"]
    assert sorted(parts) == pytest.approx(sorted([np.cos(0.5), 3.0, 1.0]), abs=5e-3)
    assert sum(parts) == pytest.approx(trace.gradient("q").item(), abs=1e-2)


def test_values_stand_above_and_gradients_below_the_line():
    for edge in groups(read(traced().to_svg()), "edge"):
        end = float(re.findall(r"H[\d.]+$", edge.find(f"{SVG}path").get("d"))[0][1:])
        tip = edge.findall(f"{SVG}path")[1].get("d")
        y = float(tip.split()[1].split("l")[0])
        for text in edge.iter(f"{SVG}text"):
            above = float(text.get("y")) < y
            assert above == (text.get("class") == "value")
            assert float(text.get("x")) < end


@pytest.mark.parametrize("hidden", [(), (20,), (5, 4, 3), (2,) * 9])
@pytest.mark.parametrize("fold", [False, True])
def test_nothing_overlaps(hidden, fold):
    root = read(traced(hidden=hidden).to_svg(fold=fold))
    boxes = [b for b in map(box, groups(root, "node")) if b is not None]
    labels = []
    for edge in groups(root, "edge"):
        for text in edge.iter(f"{SVG}text"):
            right, y = float(text.get("x")), float(text.get("y"))
            labels.append((right - 5.4 * len(text.text), y - 9, right, y + 2))
    for a, b in combinations([*boxes, *labels], 2):
        assert not meet(a, b)
    width, height = map(float, (root.get("width"), root.get("height")))
    assert all(min(b) >= 0 and b[2] <= width and b[3] <= height for b in boxes)


def test_large_arrays_are_summed_up():
    trace = traced()
    shown = {texts(edge)[0] for edge in groups(read(trace.to_svg()), "edge")}
    W1 = trace.value("W1")
    assert f"{W1.min():.3g} … {W1.max():.3g}".replace("-", "−") in shown
    assert max(map(len, shown)) < 24


def test_layers_fold_all_none_or_some():
    trace = traced(hidden=(5, 4))
    layers = [layer.words for layer in layers_of(trace.graph)]
    assert layers == ["dense → sigmoid", "dense → sigmoid", "dense"]
    folded = groups(read(trace.to_svg(fold=True)), "layer")
    assert [texts(one)[0] for one in folded] == ["layer 1", "layer 2", "layer 3"]
    assert "325 parameters" in texts(folded[0])
    some = read(trace.to_svg(fold=[2]))
    assert [texts(one)[0] for one in groups(some, "layer")] == ["layer 2"]
    names = {texts(one)[0] for one in groups(some, "node") if texts(one)}
    assert {"W1", "W3"} <= names
    assert "W2" not in names
    with pytest.raises(GraphError, match="fold: expected numbers of layers, 1 to 3; came 4"):
        trace.to_svg(fold=[4])


def test_a_folded_layer_still_passes_its_parameters_to_the_penalty():
    trace = traced(hidden=())
    root = read(trace.to_svg(fold=True))
    abouts = [group.find(f"{SVG}title").text for group in groups(root, "edge")]
    assert any(about.startswith("W1: ") for about in abouts)


def test_names_stay_text():
    x = cr.input('a"><script>alert(1)</script>\x00&', ("rows", 2))
    text = cr.Graph(cr.tanh(x, name="]]>")).to_svg()
    root = read(text)
    assert "<script" not in text
    assert root.find(f".//{SVG}script") is None
    assert any(about.text.startswith('a"><script>') for about in root.iter(f"{SVG}title"))


def test_paper_and_ink():
    graph = traced().graph
    assert read(graph.to_svg(paper="#123456")).find(f"{SVG}rect").get("fill") == "#123456"
    assert read(graph.to_svg(paper=None)).find(f"{SVG}rect") is None
    assert 'fill="currentColor"' in graph.to_svg(paper=None)


def test_a_deep_graph_is_drawn_without_recursion():
    node = cr.parameter("w", ())
    for _ in range(1500):
        node = cr.tanh(node)
    root = read(cr.Graph(node).to_svg())
    assert len(groups(root, "node")) == 1501


def test_one_layer_a_product_an_embedding_a_normalisation():
    from chainrule.networks.realmlp import PRESETS, realmlp

    net = realmlp(3, 2, cardinalities=[4, 5], preset=PRESETS["td", "classification"])
    graph = cr.Graph(net.scores)
    layers = layers_of(graph)
    assert sum(layer.size for layer in layers) == sum(p.size for p in graph.parameters)
    assert sum("matmul" in layer.words or "dense" in layer.words for layer in layers) == 4
    root = read(graph.to_svg(fold=True))
    assert len(groups(root, "layer")) == len(layers) <= 8


@pytest.mark.parametrize(
    ("wanted", "steps"), [([0, 0, 0], [1, 1]), ([5, 1, 9, 9], [2, 2, 2]), ([0, 10], [1]), ([], [])]
)
def test_places_are_the_nearest_that_are_apart(wanted, steps):
    found = apart(wanted, steps)
    assert len(found) == len(wanted)
    for a, b, step in zip(found, found[1:], steps, strict=False):
        assert b - a >= step - 1e-9
    if wanted:
        assert np.mean(found) == pytest.approx(np.mean(wanted))


def test_places_that_fit_stay():
    assert apart([0.0, 3.0, 9.0], [1.0, 2.0]) == [0.0, 3.0, 9.0]
