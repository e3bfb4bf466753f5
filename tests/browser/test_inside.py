"""Step inside in a real browser: every number shown against the graph's own."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.graph import Apply

from .desk import cells, numbers


def test_one_backward_pass_with_the_graphs_numbers(open_desk):
    desk = open_desk("dataset=xor&hidden_layer_sizes=3&activations=tanh&regularization=l2")
    page = desk.page
    page.click("#inside")
    page.wait_for_selector("[data-phase=forward]")
    run = desk.run
    session = desk.playground.sessions.newest
    rows = session.inside.rows
    X, t = run.X_train[rows].astype(float), run.t_train[rows]
    trace = run.network.objective.trace(run.theta.astype(float), X, t)
    trace.forward()
    trace.backward()
    names = trace.graph.names
    operations = [node for node in trace.graph.order if isinstance(node, Apply)]
    for node in operations:
        page.click("[data-act=next]")
        desk.wait(f"document.querySelector('.current')?.dataset.node === {names[node]!r}")
        value = trace.value(node)
        value = np.atleast_1d(value[0] if node.shape[:1] == ("rows",) else value)
        assert numbers(cells(page, 2)) == pytest.approx(value.ravel(), rel=2e-3, abs=1e-9)
    desk.shot("inside-forward")
    last = session.inside.last
    while session.inside.position < last - 1:
        position = session.inside.position
        page.click("[data-act=next]")
        desk.wait(f"document.querySelector('.phase').textContent.includes(' {position + 1} /')")
        node = session.inside.current
        gradient = trace.gradient(node)
        gradient = np.atleast_1d(gradient[0] if node.shape[:1] == ("rows",) else gradient)
        shown = numbers(page.locator("[data-gradient]").all_inner_texts())
        assert shown == pytest.approx(gradient.ravel(), rel=2e-3, abs=1e-9)
    for name in ("W1", "b1", "W2", "b2"):
        page.locator(f"[data-node={name}]").click()
        shown = numbers(page.locator("[data-gradient]").all_inner_texts())
        assert shown == pytest.approx(trace.gradient(name).ravel(), rel=2e-3, abs=1e-9)
    page.locator("[data-node=W1]").click()
    page.click("[data-gradient='W1:1,2']")
    page.wait_for_selector("[data-check=central]")
    exact = trace.gradient("W1")[1, 2]
    for check, tolerance in (("exact", 1e-6), ("central", 1e-5), ("forward", 1e-2)):
        shown = numbers([page.inner_text(f"[data-check={check}]")])[0]
        assert shown == pytest.approx(exact, rel=tolerance, abs=1e-6)
    assert "the gradient is right" in page.inner_text(".verdict")
    desk.shot("inside-checked")
    before = run.theta.copy()
    page.click("[data-act=next]")
    page.wait_for_selector("[data-phase=update]")
    desk.shot("inside-update")
    page.click("[data-act=update]")
    page.wait_for_selector("[data-phase=forward]")
    assert run.steps == 1
    vector = run.network.objective.vector
    gradient = vector.pack({name: trace.gradient(name) for name in vector.slices})
    assert np.allclose(run.theta, before - 0.03 * gradient, atol=1e-6)
    page.click("[data-act=leave]")
    desk.wait("document.querySelector('#step').hidden")


def test_stepping_by_keyboard(open_desk):
    desk = open_desk()
    page = desk.page
    page.keyboard.press("i")
    page.wait_for_selector("[data-phase=forward]")
    for at in (1, 2, 3):
        page.keyboard.press("ArrowRight")
        desk.wait(f"document.querySelector('.phase').textContent.includes(' {at} /')")
    page.keyboard.press("ArrowLeft")
    desk.wait("document.querySelector('.phase').textContent.includes(' 2 /')")
    page.keyboard.press("Escape")
    desk.wait("document.querySelector('#step').hidden")


def test_the_graph_stands_beside_the_network_and_a_click_in_it_checks_a_gradient(open_desk):
    desk = open_desk(viewport={"width": 1280, "height": 900})
    page = desk.page
    page.click("#inside")
    page.wait_for_selector("[data-phase=forward]")
    network, step = (page.locator(one).bounding_box() for one in (".network", "#step"))
    assert step["x"] >= network["x"] + network["width"]
    assert abs(step["y"] - network["y"]) < 2
    page.click("[data-act=backward]")
    page.wait_for_selector("[data-phase=update]")
    value, gradient = (
        page.locator(".graph-box svg > text." + kind).first.bounding_box()
        for kind in ("value", "gradient")
    )
    assert gradient["y"] > value["y"]
    page.click("[data-edge-gradient=W2]")
    page.wait_for_selector("[data-check=central]")
    exact, central = (
        numbers([page.inner_text(f"[data-check={check}]")])[0] for check in ("exact", "central")
    )
    trace = desk.playground.sessions.newest.inside.trace
    assert exact == pytest.approx(trace.gradient("W2")[0, 0], rel=1e-5)
    assert central == pytest.approx(exact, rel=1e-4, abs=1e-8)
    desk.shot("inside-beside")
    page.set_viewport_size({"width": 800, "height": 900})
    network, step = (page.locator(one).bounding_box() for one in (".network", "#step"))
    assert step["y"] >= network["y"] + network["height"]
