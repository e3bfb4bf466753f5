"""A graph 10 000 operations deep: ten times deeper than Python's recursion goes."""

from __future__ import annotations

import gc
import sys

import pytest

import chainrule as cr

DEPTH = 10_000


def deep():
    node = w = cr.parameter("w", ())
    for _ in range(DEPTH):
        node = node + w
    return node


@pytest.fixture(scope="module")
def graph():
    assert sys.getrecursionlimit() < DEPTH
    return cr.Graph(deep())


@pytest.mark.parametrize("keep", [True, False])
def test_it_runs_forward_and_backward(graph, keep):
    trace = cr.Trace(graph, {"w": 0.5}, keep=keep)
    assert trace.forward() == 0.5 * (DEPTH + 1)
    assert trace.backward()["w"] == DEPTH + 1
    assert len(graph) == DEPTH + 1


def test_it_is_stored_and_restored(graph):
    again = cr.Graph.from_dict(graph.to_dict())
    assert cr.Trace(again, {"w": 0.5}).backward()["w"] == DEPTH + 1


def test_it_is_printed_and_drawn(graph):
    assert repr(graph).endswith(f"{DEPTH + 1:,} nodes, 1 parameter")
    assert graph.to_dot().count("->") == 2 * DEPTH


def test_it_goes_away_without_recursion():
    node = deep()
    graph = cr.Graph(node)
    trace = cr.Trace(graph, {"w": 1.0})
    trace.backward()
    del node, graph, trace
    gc.collect()


def test_a_wide_and_deep_diamond_takes_linear_time():
    node = cr.parameter("w", ())
    for _ in range(DEPTH):
        node = cr.maximum(node, node)
    trace = cr.Trace(node, {"w": 1.0})
    assert trace.forward() == 1
    assert trace.backward()["w"] == 1
