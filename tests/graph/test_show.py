"""Graphs in print: the table, the trace with its numbers, and Graphviz text."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap

import numpy as np
import pytest

import chainrule as cr


def small():
    x = cr.input("x", ("rows", 2))
    W, b = cr.parameter("W", (2, 1000)), cr.parameter("b", (1000,))
    h = cr.leaky_relu(cr.scale(x, factor=1 / 255) @ W + b, name="hidden")
    return cr.Graph(cr.sum(2 * h + np.arange(1000), axis=1, name="total"))


def test_a_graph_prints_as_a_table():
    expected = """
        name      operation                    shape         parameters
        ────────  ───────────────────────────  ────────────  ──────────
        x         input                        (rows, 2)
        scale     scale(x, factor=0.00392157)  (rows, 2)
        W         parameter                    (2, 1000)          2,000
        matmul    matmul(scale, W)             (rows, 1000)
        b         parameter                    (1000,)            1,000
        add       add(matmul, b)               (rows, 1000)
        hidden    leaky_relu(add)              (rows, 1000)
        multiply  multiply(2, hidden)          (rows, 1000)
        constant  constant                     (1000,)
        add_2     add(multiply, constant)      (rows, 1000)
        total     sum(add_2, axis=1)           (rows,)
        12 nodes, 3,000 parameters
    """
    assert repr(small()) == textwrap.dedent(expected).strip()


def test_options_that_were_left_alone_are_not_printed():
    x = cr.input("x", ("rows", 2))
    plain, changed = cr.leaky_relu(x), cr.leaky_relu(x, slope=0.2)
    assert "leaky_relu(x)" in repr(cr.Graph(plain))
    assert "leaky_relu(x, slope=0.2)" in repr(cr.Graph(changed))
    assert repr(plain.op) == "leaky_relu()"
    assert repr(changed.op) == "leaky_relu(slope=0.2)"


def test_two_nameless_constants_are_told_apart():
    x = cr.input("x", ("rows", 2))
    text = repr(cr.Graph((x + np.ones(2)) * np.zeros(2)))
    assert "add(x, constant)" in text
    assert "multiply(add, constant_2)" in text


def test_a_node_prints_as_what_it_is():
    x = cr.input("x", ("rows", 2))
    assert repr(x) == "<input x (rows, 2)>"
    assert repr(cr.tanh(x)) == "<operation tanh (rows, 2)>"


def test_a_trace_prints_its_numbers():
    w = cr.parameter("w", (2,))
    trace = cr.Trace(cr.sum(cr.square(w)), {"w": [3.0, 4.0]})
    trace.backward()
    expected = """
        name    operation    value    gradient
        ──────  ───────────  ───────  ────────
        w       parameter    [3, 4]   [6, 8]
        square  square(w)    [9, 16]  [1, 1]
        sum     sum(square)  25       1
    """
    assert repr(trace) == textwrap.dedent(expected).strip()


def test_large_values_are_summed_up():
    x = cr.input("x", ("rows", 2))
    trace = cr.Trace(cr.tanh(x), {"x": np.zeros((100, 2))})
    trace.forward()
    assert "(100, 2) mean 0, 0…0" in repr(trace)


def test_dot_text_has_every_node_and_every_line():
    graph = small()
    text = graph.to_dot()
    assert text.startswith("digraph {")
    assert text.endswith("}\n")
    labels = re.findall(r"^  (n\d+) \[label=", text, re.MULTILINE)
    assert len(set(labels)) == len(labels) == len(graph)
    lines = re.findall(r"^  (n\d+) -> (n\d+);$", text, re.MULTILINE)
    assert len(lines) == sum(len(node.inputs) for node in graph)
    assert set(sum(lines, ())) <= set(labels)
    assert r'label="hidden\nleaky_relu\n(rows, 1000)"' in text


def test_names_cannot_break_out_of_dot_text():
    x = cr.input('a"]; evil [\\', ("rows", 2))
    text = cr.Graph(cr.tanh(x, name="line\nbreak")).to_dot()
    assert r'label="a\"]; evil [\\\n(rows, 2)"' in text
    assert r'label="line\nbreak\ntanh\n(rows, 2)"' in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_graphviz_reads_it():
    drawn = subprocess.run(
        ["dot", "-Tsvg"], input=small().to_dot(), capture_output=True, text=True, check=True
    )
    assert "<svg" in drawn.stdout
