"""Step inside: positions, numbers against NumPy written here, formulas, checks, updates."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import OptionError
from chainrule.server.inside import Inside
from chainrule.server.points import make_points
from chainrule.server.run import Run
from chainrule.server.settings import read_settings


def make_inside(**given):
    settings = read_settings(given)
    run = Run(1, settings, make_points(settings["dataset"], n_classes=settings["n_classes"]))
    run.advance(13)
    return run, Inside(run)


def by_name(inside):
    return {node["name"]: node for node in inside.describe()["nodes"]}


def test_values_and_gradients_against_plain_numpy():
    run, inside = make_inside(hidden_layer_sizes=[3], activations=["tanh"], dataset="circle")
    p = {k: v.astype(np.float64) for k, v in run.network.objective.unpack(run.theta).items()}
    X = run.X_train[inside.rows].astype(np.float64)
    t = run.t_train[inside.rows].astype(np.float64)
    h = np.tanh(X @ p["W1"] + p["b1"])
    s = (h @ p["W2"] + p["b2"])[:, 0]
    loss = np.mean(np.log1p(np.exp(s)) - t * s)
    ds = ((1 / (1 + np.exp(-s)) - t) / len(t))[:, None]
    dz = ds @ p["W2"].T * (1 - h * h)
    inside.look_at(4)
    inside.move(inside.last - 1)
    nodes = by_name(inside)
    mean = next(node for node in nodes.values() if node["op"] == "weighted_mean")
    assert mean["value"] == pytest.approx([loss])
    assert nodes["h1"]["value"] == pytest.approx(h[4])
    assert nodes["scores"]["gradient"] == pytest.approx(ds[4])
    assert nodes["z1"]["gradient"] == pytest.approx(dz[4])
    assert np.allclose(np.reshape(nodes["W1"]["gradient"], (2, 3)), X.T @ dz)
    assert np.allclose(nodes["W2"]["gradient"], (h.T @ ds).ravel())
    assert nodes["b1"]["gradient"] == pytest.approx(dz.sum(axis=0))


def test_positions_reveal_one_node_at_a_time():
    _, inside = make_inside()
    seen = []
    for position in range(inside.last + 1):
        inside.move(position)
        nodes = by_name(inside).values()
        values = sum(n["value"] is not None for n in nodes if n["kind"] == "operation")
        gradients = sum(n["gradient"] is not None for n in nodes)
        seen.append((inside.phase, values, gradients))
    forward = len(inside.forward)
    assert [values for phase, values, _ in seen if phase == "forward"] == list(range(forward + 1))
    backward = [gradients for phase, _, gradients in seen if phase == "backward"]
    assert backward == sorted(backward)
    assert backward[0] > 0
    assert seen[-1][0] == "update"


def test_going_back_hides_again():
    _, inside = make_inside()
    inside.move(5)
    there = inside.describe()
    inside.move(9)
    inside.move(5)
    assert inside.describe() == there


@pytest.mark.parametrize(
    "given",
    [
        {"dataset": "arms", "regularization": "l2"},
        {"dataset": "rings", "loss": "one_vs_all", "activations": ["relu", "gelu"]},
        {"dataset": "blobs", "loss": "squared_error", "regularization": "l1"},
        {"dataset": "peaks", "loss": "huber", "activations": ["sigmoid", "softplus"]},
        {"dataset": "circle", "solver": "cg"},
    ],
    ids=lambda g: "-".join(map(str, g.values())),
)
def test_every_gradient_is_explained_by_its_terms_and_agrees_with_its_check(given):
    run, inside = make_inside(**given)
    inside.move(inside.last)
    for node in inside.describe()["nodes"]:
        if node["gradient"] is None:
            continue
        index = [0] * (len(node["shape"]) - node["has_rows"])
        told = inside.explain(node["name"], index)
        if told["parts"]:
            total = sum(part["total"] for part in told["parts"])
            assert total == pytest.approx(told["exact"], rel=1e-9, abs=1e-12)
            for part in told["parts"]:
                if len(part["terms"]) < 60:
                    summed = sum(a * b for a, b in part["terms"])
                    assert summed == pytest.approx(part["total"], rel=1e-9, abs=1e-12)
        assert told["relative_error"] < 1e-4, node["name"]
        assert told["forward"] == pytest.approx(told["exact"], rel=0.05, abs=1e-3)
    run.close()


@pytest.mark.parametrize("solver", ["sgd", "nesterov", "rmsprop", "adam"])
def test_the_update_shown_is_the_update_made(solver):
    run, inside = make_inside(solver=solver, learning_rate=0.1)
    inside.move(inside.last)
    update = inside.describe()["update"]
    run.advance(1)
    after = run.network.objective.vector.pack(
        {
            name: np.reshape(part["after"], run.network.objective.vector.shapes[name])
            for name, part in update["parameters"].items()
        }
    )
    assert np.allclose(run.theta, after, rtol=2e-5, atol=2e-6)


def test_the_rows_are_those_of_the_next_batch():
    run, inside = make_inside(batch_size=250, learning_rate=1.0)
    assert sorted(inside.rows) == list(range(250))
    run, inside = make_inside(batch_size=10)
    assert len(set(inside.rows.tolist())) == 10
    gradient = np.zeros(run.theta.size)
    inside.move(inside.last)
    vector = run.network.objective.vector
    gradient = vector.pack({n: inside.trace.gradient(n) for n in vector.slices})
    before = run.theta.astype(np.float64)
    run.advance(1)
    assert np.allclose(before - run.theta, 0.03 * gradient, atol=1e-6)


def test_a_gradient_not_computed_yet_cannot_be_explained():
    _, inside = make_inside()
    inside.move(3)
    with pytest.raises(OptionError, match="Step further first"):
        inside.explain("W1", [0, 0])


@pytest.mark.parametrize("index", [[9, 0], [0], [0, 0, 0]])
def test_an_index_outside_is_refused(index):
    _, inside = make_inside()
    inside.move(inside.last)
    with pytest.raises(OptionError, match="W1: expected an index"):
        inside.explain("W1", index)
