"""What the panels show of a run: the loss around it, histograms of layers, the plane bent."""

from __future__ import annotations

import base64
import struct
import time
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from chainrule.errors import OptionError
from chainrule.server import distributions, slices, surface, warp
from chainrule.server.distributions import Distributions
from chainrule.server.listener import Listener
from chainrule.server.surface import Surface
from chainrule.server.timeline import Timeline
from chainrule.server.warp import Warp

from .steering import do, learn


class Ear(Listener):
    """A page that takes everything at once."""

    wants_frame = True

    def __init__(self):
        self.messages, self.frames = [], []

    def send(self, message):
        self.messages.append(message)

    def send_binary(self, data):
        self.frames.append(data)

    def of(self, kind):
        return [one for one in self.messages if one["type"] == kind]

    def named(self, magic):
        return [one for one in self.frames if one[:4] == magic]


def listen(session):
    ear = Ear()
    with session.lock:
        session.listener = ear
    return ear


def until(wanted, seconds=20):
    end = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("directions", ["path", "random"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_surface_is_the_loss_on_a_plane_through_the_run(opened, solver, directions):
    session = opened(dataset="xor", solver=solver, regularization="l2", strength=0.01)
    learn(session, 60)
    ear = listen(session)
    do(session, "surface", directions=directions, seed=3)
    do(session, "watch", panel="surface")
    frame = until(lambda: ear.named(b"CRL1"))[-1]
    head = surface.HEADER.unpack_from(frame)
    _, number, is_path, points, count, a0, a1, b0, b1, *shares = head
    assert (number, is_path) == (session.run.number, directions == "path")
    rest = np.frombuffer(frame, "<f4", offset=surface.HEADER.size)
    heights, way = rest[: points**2].reshape(points, points), rest[points**2 :].reshape(count, 3)
    job = session.part(Surface).latest
    run = session.run
    assert np.allclose(job.plane.centre, run.theta)
    assert np.allclose(way[-1, :2], 0, atol=1e-4)
    assert way[-1, 2] == pytest.approx(run.epochs)
    for row, column in [(0, 0), (points // 2, 2), (3, points - 1)]:
        a, b = a0 + (a1 - a0) * column / (points - 1), b0 + (b1 - b0) * row / (points - 1)
        theta = run.theta + a * job.plane.u + b * job.plane.v
        loss, _, penalty = run._losses(theta.astype(run.theta.dtype))
        assert heights[row, column] == pytest.approx(loss + penalty, rel=1e-4)
    if directions == "path":
        assert 0 < shares[1] <= shares[0] <= 1
        first = session.part(Timeline).moments[0].memory.theta
        nearest = run.theta + way[0, 0] * job.plane.u + way[0, 1] * job.plane.v
        step = 0.1 * job.plane.u
        here = np.linalg.norm(first - nearest)
        assert here <= np.linalg.norm(first - nearest - step) + 1e-6
        assert here <= np.linalg.norm(first - nearest + step) + 1e-6


def test_the_surface_moves_with_the_run_and_rests_when_it_rests(opened):
    session = opened(dataset="xor")
    ear = listen(session)
    do(session, "watch", panel="surface")
    until(lambda: ear.named(b"CRL1"))
    time.sleep(1.0)
    assert len(ear.named(b"CRL1")) == 1
    do(session, "play")
    until(lambda: len(ear.named(b"CRL1")) > 3)
    do(session, "pause")
    assert session.run.steps > 1000


def test_a_slice_of_the_surface_takes_a_fifth_of_the_time_while_it_learns(opened, monkeypatch):
    session = opened(dataset="xor", hidden_layer_sizes=[32, 32])
    part, readings = session.part(Surface), count(step=0.0002)
    listen(session)
    with session.lock:  # the session's own thread does nothing meanwhile
        clock = SimpleNamespace(monotonic=lambda: next(readings))
        monkeypatch.setattr(slices, "time", clock)
        monkeypatch.setattr(session, "watched", part.PANEL)
        monkeypatch.setattr(session, "playing", True)
        for _ in range(5):
            begun = next(readings)
            part.work()
            end = next(readings)
            assert end - begun < 0.01
            assert part._work is not None, "a slice is never the whole"
            assert begun + part.wait(begun) - end >= 3 * (end - begun)
        monkeypatch.setattr(session, "playing", False)
        monkeypatch.setattr(session, "watched", "")


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_histograms_are_those_of_the_layers_at_every_moment(opened, activation):
    session = opened(dataset="circle", activations=[activation] * 2, hidden_layer_sizes=[6, 3])
    learn(session, 800)
    ear = listen(session)
    do(session, "watch", panel="histograms")
    told = until(lambda: ear.of("histograms"))[-1]
    run = session.run
    moments = session.part(Timeline).moments
    stride = -(-len(moments) // distributions.MOST_COLUMNS)
    thetas = [one.memory.theta for one in moments[::stride]] + [run.theta]
    assert len(told["epochs"]) == len(thetas)
    rows = run.X_train[: distributions.ROWS]
    for i, layer in enumerate(told["layers"][:2]):
        picture = layer["outputs"]
        raw = np.frombuffer(base64.b64decode(picture["shares"]), np.uint8)
        shares = raw.reshape(len(thetas), picture["bins"]) / 255
        edges = np.linspace(picture["low"], picture["high"], picture["bins"] + 1)
        for theta, column in zip(thetas, shares, strict=True):
            values = run.network.evaluate(theta, rows, [run.network.layers[i]])[0]
            width = (values.max() - values.min()) / distributions.BINS
            wide = (values.ravel()[:, None] <= edges + width).mean(axis=0)
            thin = (values.ravel()[:, None] <= edges - width).mean(axis=0)
            summed = np.concatenate([[0], np.cumsum(column)])  # of those from the lowest edge on
            slack = 0.5 / 255 * len(edges) + 0.006
            assert np.all(summed <= wide - thin[0] + slack)
            assert np.all(summed >= thin - wide[0] - slack)
        last = run.network.evaluate(run.theta, rows, [run.network.layers[i]])[0]
        assert layer["zero"] == pytest.approx(np.mean(last == 0))


def test_histograms_of_gradients_are_those_of_the_loss(opened):
    session = opened(dataset="circle", hidden_layer_sizes=[5])
    learn(session, 50)
    part = session.part(Distributions)
    counts = part._count(session.run.theta)
    run = session.run
    X, t = run.X_train[:256].astype(np.float64), run.t_train[:256].astype(np.float64)
    node = run.network.layers[0]
    trace = run.network.objective.trace(np.asarray(run.theta, np.float64), X, t)
    trace.backward()
    gradient = trace.gradient(node)
    one = next(iter(counts.values()))
    assert one.gradients.sum() == gradient.size
    assert one.gradient_edges[0] == pytest.approx(gradient.min())
    assert one.gradient_edges[-1] == pytest.approx(gradient.max())


def test_the_grid_is_bent_as_two_neurons_see_it(opened):
    session = opened(dataset="spiral", hidden_layer_sizes=[5, 4], features=["x1", "x2", "sin_x1"])
    learn(session, 300)
    ear = listen(session)
    do(session, "watch", panel="space")
    do(session, "space", layer=2, first=3, second=1)
    frame = until(
        lambda: [f for f in ear.named(b"CRW1") if struct.unpack_from("<I", f, 8)[0] == 2]
    )[-1]
    _, number, layer, first, second, lines, samples, count = warp.HEADER.unpack_from(frame)
    assert (number, layer, first, second) == (session.run.number, 2, 3, 1)
    rest = np.frombuffer(frame, "<f4", offset=warp.HEADER.size)
    grid = rest[: 4 * lines * samples].reshape(2, lines, samples, 2)
    run = session.run
    node = run.network.layers[1]

    def seen(x1, x2):
        point = run.features_of(np.array([[x1, x2]]))
        return run.network.evaluate(run.theta, point, [node])[0][0, [3, 1]]

    assert np.allclose(grid[0, 0, 0], seen(-6, -6), atol=1e-5)
    assert np.allclose(grid[0, lines - 1, 0], seen(6, -6), atol=1e-5)
    assert np.allclose(grid[1, 0, samples - 1], seen(6, -6), atol=1e-5)
    assert np.allclose(grid[1, 4, 10], seen(-6 + 12 * 10 / 48, -6 + 12 * 4 / 12), atol=1e-5)
    data = rest[4 * lines * samples :].reshape(count, 3)
    values = run.network.evaluate(run.theta, run.X_train[:count], [node])[0]
    assert np.allclose(data[:, :2], values[:, [3, 1]], atol=1e-5)
    assert np.array_equal(data[:, 2], run.points.y[:count])


def test_neurons_that_are_not_there_are_refused(opened):
    session = opened(hidden_layer_sizes=[3])
    for bad in ({"layer": 2}, {"layer": 0}, {"first": 3}, {"second": 99}):
        with pytest.raises(OptionError, match="expected"):
            do(session, "space", **{"layer": 1, "first": 0, "second": 1, **bad})
    do(session, "space", layer=1, first=2, second=1)
    do(session, "set", settings={"hidden_layer_sizes": [2]})
    assert session.part(Warp).first == 0


def test_closed_panels_cost_nothing(opened):
    session = opened(dataset="xor")
    ear = listen(session)
    do(session, "play")
    time.sleep(0.5)
    do(session, "pause")
    assert not ear.named(b"CRL1") + ear.named(b"CRW1") + ear.of("histograms") + ear.of("timeline")
    assert session.part(Surface).wait(time.monotonic()) == float("inf")
    assert not session.part(Distributions)._counts
