"""A graph 10 000 operations deep: ten times deeper than Python's recursion goes."""

from __future__ import annotations

import copy
import gc
import pickle
import sys

import numpy as np
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


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_is_copied_and_pickled(graph, copy_of):
    again = copy_of(graph)
    assert again is not graph
    assert len(again) == len(graph)
    assert cr.Trace(again, {"w": 0.5}).backward()["w"] == DEPTH + 1


def test_a_deep_objective_is_pickled():
    x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows", 1))
    w = cr.parameter("w", (1, 1))
    scores = x @ w
    for _ in range(1000):
        scores = scores + 1
    J = cr.Objective(cr.squared_error(scores, t), penalty=cr.l2(w, strength=1.0))
    again = pickle.loads(pickle.dumps(J))
    X, y, theta = np.ones((3, 1)), np.full((3, 1), 1000.0), np.array([0.5])
    assert again(theta, X, y)[0] == J(theta, X, y)[0]


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
