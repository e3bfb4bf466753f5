"""What notebooks show of graphs, traces and reports: every head, every cell, dashes, titles."""

from __future__ import annotations

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule.check.report import HEADS
from chainrule.graph.markup import tag
from chainrule.graph.show import summary


@pytest.fixture
def loss():
    x = cr.input("x", ("rows", 3))
    W = cr.parameter("W", (3, 2))
    return cr.sum(cr.square(x @ W), axis=1, name="total")


def test_a_graph_is_drawn_and_told_as_a_table_of_code(loss):
    shown = cr.Graph(loss)._repr_html_()
    assert shown.startswith('<div class="chainrule-graph">')
    assert shown.count("<svg") == 1
    assert "<details>" in shown
    for word in ("x", "W", "total"):
        assert f"<code>{word}</code>" in shown
    assert re.search(r'<td style="[^"]*(left|right)"', shown)


def test_a_trace_shows_its_numbers_in_a_table(loss):
    trace = cr.Trace(loss, {"x": np.ones((1, 3)), "W": np.ones((3, 2))})
    trace.backward()
    shown = trace._repr_html_()
    assert shown.startswith('<div class="chainrule-graph">')
    assert re.search(r"<code>\[18[.0]*\]</code>", shown)


def test_a_report_has_all_its_heads():
    w = cr.parameter("w", (2, 1), init=1.0)
    x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
    J = cr.Objective(cr.squared_error(x @ w, t))
    shown = cr.check_gradient(J, np.eye(2), np.ones((2, 1)))._repr_html_()
    for head in (*HEADS[:-1], "verdict"):
        assert f">{head}</th>" in shown


def test_void_elements_have_no_end():
    assert str(tag("br")) == "<br>"
    assert str(tag("p", "a < b")) == "<p>a &lt; b</p>"


def test_four_numbers_are_shown_and_five_are_summed_up():
    assert summary(np.arange(4.0)).count(",") == 3
    assert "5" in summary(np.arange(5.0))
    assert "[" not in summary(np.arange(5.0))


def test_backward_by_steps_runs_forward_first(loss):
    trace = cr.Trace(loss, {"x": np.ones((1, 3)), "W": np.ones((3, 2))})
    step = trace.backward_step()
    assert (step.phase, step.name) == ("backward", "total")
    assert trace.ran_backward("total")
    assert not trace.ran_backward("x")


def test_nothing_has_run_backward_before_it_did(loss):
    trace = cr.Trace(loss, {"x": np.ones((1, 3)), "W": np.ones((3, 2))})
    trace.forward()
    assert not trace.ran_backward("total")


def test_only_the_mask_of_dropout_is_dashed():
    x = cr.input("x", ("rows", 4))
    net = cr.sequential([cr.Dense(3), cr.Dropout(0.5), cr.Dense(2)], x)
    drawn = cr.Graph(net).to_svg()
    dashed = re.findall(r'<g class="node (\w+)">(?:(?!</g>).)*stroke-dasharray', drawn)
    assert dashed == ["mask"]
