"""Stretches of mini-batches against a plain loop: rules, penalties, clipping, masks, orders."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule import engine
from chainrule.engine import Shuffle, UpdateRule
from chainrule.errors import OptionError
from chainrule.graph import Graph
from chainrule.training.shuffling import permutation, windowed_permutation

RULES = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]


def plain_update(kind, o, theta, g, slots, t, rate, decay):
    """The formulas of UpdateRule, written out."""
    if kind == "sgd":
        return theta - rate * g
    if kind in ("momentum", "nesterov"):
        slots[0] = o.momentum * slots[0] - rate * g
        return theta + (slots[0] if kind == "momentum" else o.momentum * slots[0] - rate * g)
    if kind == "rmsprop":
        slots[0] = o.rho * slots[0] + (1 - o.rho) * g * g
        return theta - rate * g / (np.sqrt(slots[0]) + o.epsilon)
    slots[0] = o.beta_1 * slots[0] + (1 - o.beta_1) * g
    slots[1] = o.beta_2 * slots[1] + (1 - o.beta_2) * g * g
    corrected = rate * np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
    if kind == "adamw":
        theta = theta - rate * decay * theta
    return theta - corrected * slots[0] / (np.sqrt(slots[1]) + o.epsilon)


def plain_masks(graph, seed, step, rows, dtype, level=1.0):
    """The masks of one step, drawn by numpy.random.Philox."""
    masks = {}
    for mask in graph.masks:
        units = int(np.prod(mask.shape[1:]))
        philox = np.random.Philox(key=[seed, 0], counter=[0, mask.stream, step, 0])
        raw = philox.random_raw(-(-rows * units // 4)).astype("<u8").view("<u2")
        threshold = round(mask.rate * level * 65536)
        kept = raw[: rows * units].reshape(rows, *mask.shape[1:]) >= threshold
        masks[mask] = np.where(kept, 65536 / (65536 - threshold), 0).astype(dtype)
    return masks


class Problem:
    """A network with dropout and derived weights, and the loop that trains it in NumPy.

    ``gated``: its activation is a learnt share of mish, its weights are scaled on the other side.
    """

    def __init__(self, tools, dtype, rows=103, gated=False, units=9):
        rng = np.random.default_rng(1)
        x, t = cr.input("x", ("rows", 11)), cr.target("t", ("rows",), dtype=int)
        W1, b1 = cr.parameter("W1", (11, units)), cr.parameter("b1", (units,))
        W2, b2 = cr.parameter("W2", (units, 4)), cr.parameter("b2", (4,))
        shapes = {"W1": (11, units), "b1": (units,), "W2": (units, 4), "b2": (4,)}
        if gated:
            z, a = x @ W1 + b1, cr.parameter("a", (units,))
            shapes["a"] = (units,)
            h = cr.dropout(z + a * (cr.mish(z) - z), rate=0.3, stream=5)
            scores = h @ cr.scale(W2, 0.5) + b2
        else:
            h = cr.dropout(cr.tanh(x @ W1 + b1), rate=0.3, stream=5)
            scores = h @ (W2 * 0.5) + b2
        loss = cr.softmax_cross_entropy(scores, t, label_smoothing=0.1)
        self.strength = {"W1": (2e-3, 1e-2), "W2": (0.0, 1e-2)}
        penalty = cr.l2(W1, W2, strength=1e-2) + cr.l1(W1, strength=2e-3)
        values = {name: 0.4 * rng.normal(size=shape) for name, shape in shapes.items()}
        data = {"x": rng.normal(size=(rows, 11)), "t": rng.integers(4, size=rows)}
        weight = rng.uniform(0.2, 2, rows)
        self.case = tools.Case(loss, values, data, weight, dtype, penalty)
        self.dtype, self.rows = dtype, rows

    def spread(self, factors):
        return self.case.vector.pack(
            {n: np.full(s, factors.get(n, 1.0)) for n, s in self.case.vector.shapes.items()},
            np.dtype(self.dtype).type,
        )

    def gradient(self, theta, where, masks):
        case = self.case
        values = {**case.vector.unpack(theta), "x": case.data["x"][where], "t": case.target[where]}
        trace = cr.Trace(case.graph, {**values, **masks}, dtype=self.dtype)
        losses = trace.forward().astype(np.float64)
        weight = case.weight[where]
        gradients = trace.backward(weight.astype(self.dtype))
        packed = case.vector.pack({n: gradients[n] for n in case.vector.slices})
        return losses @ weight, weight.sum(), packed

    def loop(
        self, rule, rates, size, order, by_weight, clip, rate_factors, decay_factors, seed,
        decays=None, levels=None,
    ):  # fmt: skip
        case, theta = self.case, self.case.theta.copy()
        slots = list(rule.initial_state(len(theta), self.dtype).slots)
        per_epoch = -(-self.rows // size)
        eta, decay = self.spread(rate_factors), rule.weight_decay * self.spread(decay_factors)
        report = []
        for i, rate in enumerate(rates):
            epoch, batch = divmod(i, per_epoch)
            where = order(epoch)[batch * size : (batch + 1) * size]
            level = 1.0 if levels is None else levels[i]
            masks = plain_masks(case.graph, seed, i, len(where), self.dtype, level)
            loss, weight, g = self.gradient(theta, where, masks)
            g, cost = g / weight, 0.0
            scale = 1 / weight if by_weight else 1.0
            for name, (l1, l2) in self.strength.items():
                W = theta[case.vector.slices[name]].astype(np.float64)
                cost += scale * (l1 * np.abs(W).sum() + l2 / 2 * (W @ W))
                g[case.vector.slices[name]] += scale * (l1 * np.sign(W) + l2 * W)
            norm = np.linalg.norm(g)
            report.append((loss / weight, weight, cost, norm))
            g = (g * min(1.0, clip / norm)).astype(self.dtype)
            theta = plain_update(
                rule.kind, rule, theta, g, slots, i + 1, (rate * eta).astype(self.dtype),
                decay * (1.0 if decays is None else decays[i]),
            ).astype(self.dtype)  # fmt: skip
        return theta, np.array(report).T


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_thousand_steps(tools, kind, dtype):
    problem = Problem(tools, dtype)
    case, rule = problem.case, UpdateRule(kind, weight_decay=0.05)
    rates = np.linspace(0.02, 0.001, 1000)
    factors = {"rate_factors": {"b1": 0.5}, "decay_factors": {"b1": 0.0, "b2": 0.0}}
    theta, report = problem.loop(
        rule, rates, 16, lambda epoch: permutation(103, 3, epoch), True, 0.5, seed=9, **factors
    )
    own, state = case.theta.copy(), rule.initial_state(case.vector.size, dtype)
    got = case.compiled.run_batches(
        own, state, case.inputs, case.target, case.weight, rule=rule, learning_rate=rates,
        batch_size=16, n_batches=1000, order=Shuffle(3), penalty_by_weight=True, clip_norm=0.5,
        dropout_seed=9, **factors,
    )  # fmt: skip
    assert (got.n_done, got.stopped, state.step) == (1000, None, 1000)
    tolerance = {"float64": 1e-12, "float32": 1e-5}[dtype]
    np.testing.assert_allclose(own, theta, rtol=0, atol=tolerance * np.abs(theta).max())
    measured = [got.losses, got.weights, got.penalties, got.gradient_norms]
    np.testing.assert_allclose(measured, report, rtol=20 * tolerance, atol=20 * tolerance)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("units", [9, 48])  # masks of widths like 48 are drawn in vectors
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_decay_and_dropout_of_each_batch(tools, dtype, units, gated):
    problem = Problem(tools, dtype, gated=gated, units=units)
    gates = [step for step in problem.case.program.forward if step.op == "gate"]
    assert len(gates) == gated
    case, rule = problem.case, UpdateRule("adamw", weight_decay=0.5)
    rates = np.full(70, 0.01)
    levels = {"decay": np.linspace(1, 0, 70), "dropout": np.linspace(0, 1, 70) ** 2}
    factors = {"rate_factors": {"b1": 0.5}, "decay_factors": {"b1": 0.0}}
    theta, report = problem.loop(
        rule, rates, 16, lambda epoch: np.arange(103), False, 9.0, seed=9,
        decays=levels["decay"], levels=levels["dropout"], **factors,
    )  # fmt: skip
    own, state = case.theta.copy(), rule.initial_state(case.vector.size, dtype)
    options = {"rule": rule, "batch_size": 16, "dropout_seed": 9, **factors}
    data = (case.inputs, case.target, case.weight)
    got = case.compiled.run_batches(
        own, state, *data, learning_rate=rates, n_batches=70, **levels, **options
    )
    tolerance = {"float64": 1e-12, "float32": 1e-5}[dtype]
    np.testing.assert_allclose(own, theta, rtol=0, atol=tolerance * np.abs(theta).max())
    np.testing.assert_allclose(got.losses, report[0], rtol=20 * tolerance)
    for name, wrong in [("decay", np.ones(69)), ("dropout", np.full(70, 1.5))]:
        with pytest.raises(ValueError, match="decay and of dropout"):
            case.compiled.run_batches(
                own, state, *data, learning_rate=rates, n_batches=70, **{name: wrong}, **options
            )


@pytest.mark.parametrize("window", [None, 1, 10, 40, 103, 500])
def test_orders(tools, window):
    problem = Problem(tools, "float64")
    case, rule = problem.case, UpdateRule("sgd")
    for order, where in [
        (Shuffle(7, window), lambda e: permutation(103, 7, e) if window is None
         else windowed_permutation(103, 7, e, window)),
        (None, lambda e: np.arange(103)),
        (np.arange(103)[::-1].copy(), lambda e: np.arange(103)[::-1]),
    ]:  # fmt: skip
        theta, _ = problem.loop(rule, [0.1] * 20, 32, where, False, np.inf, {}, {}, 2)
        own, state = case.theta.copy(), rule.initial_state(case.vector.size, "float64")
        for start, count in [(0, 3), (3, 1), (4, 16)]:  # cut anywhere, the same numbers
            case.compiled.run_batches(
                own, state, case.inputs, case.target, case.weight, rule=rule, learning_rate=0.1,
                batch_size=32, n_batches=count, first_batch=start, order=order, dropout_seed=2,
            )  # fmt: skip
        np.testing.assert_allclose(own, theta, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_order_for_each_epoch(tools, dtype):
    case, rule = Problem(tools, dtype).case, UpdateRule("adam")
    rng = np.random.default_rng(8)
    orders = np.array([rng.permutation(103)[:70] for _ in range(6)])  # 3 batches of 32 an epoch

    def run(stretches):
        own, state, losses = case.theta.copy(), rule.initial_state(case.vector.size, dtype), []
        for first, count, order in stretches:
            report = case.compiled.run_batches(
                own, state, case.inputs, case.target, case.weight, rule=rule, learning_rate=0.1,
                batch_size=32, n_batches=count, first_batch=first, order=order, dropout_seed=2,
            )  # fmt: skip
            losses.extend(report.losses)
        return own, losses

    theta, losses = run([(3 * e, 3, order) for e, order in enumerate(orders)])
    for cut in (
        [(0, 18, orders)],
        [(0, 18, orders.astype(np.int32))],
        [(0, 18, np.asfortranarray(orders))],
        [(0, 4, orders[:2]), (4, 14, orders[1:])],  # from within an epoch
        [(0, 5, orders), (5, 1, orders[1:2]), (6, 12, orders[2:])],
    ):
        again, told = run(cut)
        assert np.array_equal(again, theta)
        assert told == losses
    for first, count in ((0, 19), (2, 17), (1, 18)):
        with pytest.raises(OptionError, match="order has rows for 6 epochs"):
            run([(first, count, orders)])


def test_cut_into_calls_gives_the_same_bits(tools):
    problem = Problem(tools, "float32")
    case, rule, ends = problem.case, UpdateRule("adam"), []
    for cuts in ([60], [1, 2, 57], [30, 30]):
        own, state, first = case.theta.copy(), rule.initial_state(case.vector.size, "float32"), 0
        for count in cuts:
            case.compiled.run_batches(
                own, state, case.inputs, case.target, rule=rule, learning_rate=0.01, batch_size=20,
                n_batches=count, first_batch=first, order=Shuffle(1), dropout_seed=4,
            )  # fmt: skip
            first += count
        ends.append(own)
    assert all(np.array_equal(ends[0], one) for one in ends[1:])


@pytest.mark.parametrize("n_threads", [1, 3])
def test_theta_after_each_epoch(tools, n_threads):
    """From the middle of an epoch on, six batches each: θ as separate calls leave it."""
    problem = Problem(tools, "float32")
    case, rule = problem.case, UpdateRule("adam")

    def run(theta, state, first, count, **options):
        case.compiled.run_batches(
            theta, state, case.inputs, case.target, rule=rule, learning_rate=0.01, batch_size=20,
            n_batches=count, first_batch=first, order=Shuffle(1), dropout_seed=4, **options,
        )  # fmt: skip

    def start():
        return case.theta.copy(), rule.initial_state(case.vector.size, "float32")

    (theta, state), expected = start(), []
    for first, count in ((2, 4), (6, 6), (12, 6), (18, 1)):
        run(theta, state, first, count)
        expected.append(theta.copy())
    kept, (whole, state) = np.full((4, len(theta)), 7, np.float32), start()
    run(whole, state, 2, 17, after_epochs=kept, n_threads=n_threads)
    np.testing.assert_array_equal(whole, expected[-1])
    np.testing.assert_array_equal(kept[:3], expected[:3])
    assert np.all(kept[3] == 7)
    for wrong in (kept[:2], kept.astype(np.float64), kept[:, :-1], kept[::-1]):
        with pytest.raises(OptionError, match="row of .* for each of 3 epochs"):
            run(*start(), 2, 17, after_epochs=wrong)


def test_the_last_partial_batch(tools):
    case = Problem(tools, "float64").case
    options = {"rule": UpdateRule("sgd"), "learning_rate": 0.0, "batch_size": 25}
    state = UpdateRule("sgd").initial_state(case.vector.size, "float64")
    whole = case.compiled.run_batches(case.theta, state, case.inputs, case.target, **options)
    assert whole.weights.tolist() == [25, 25, 25, 25, 3]
    cut = case.compiled.run_batches(
        case.theta, state, case.inputs, case.target, drop_last=True, **options
    )
    assert cut.weights.tolist() == [25, 25, 25, 25]
    large = case.compiled.run_batches(
        case.theta, state, case.inputs, case.target, **{**options, "batch_size": 1000}
    )
    assert large.weights.tolist() == [103]


def test_it_stops_before_the_first_number_that_is_not_finite(tools):
    case = Problem(tools, "float64").case
    X = case.data["x"].copy()
    X[60, 3] = np.nan
    own, state = case.theta.copy(), UpdateRule("sgd").initial_state(case.vector.size, "float64")
    report = case.compiled.run_batches(
        own, state, X, case.target, rule=UpdateRule("sgd"), learning_rate=0.1, batch_size=25
    )
    assert (report.n_done, report.stopped, state.step) == (2, "non-finite loss", 2)
    assert len(report.losses) == 3
    assert np.isnan(report.losses[2])
    assert np.all(np.isfinite(own))


def test_a_gradient_that_is_not_finite_names_its_parameter():
    x = cr.input("x", ("rows", 2))
    V, W = cr.parameter("V", (2,)), cr.parameter("W", (2,))
    loss = cr.sum(cr.sqrt(x * W), axis=1) + cr.sum(x * V, axis=1)  # the slope at 0 is infinite
    vector = cr.ParameterVector(Graph(loss).parameters)
    compiled = engine.compile(loss, None, vector)
    theta, rule = vector.pack({"V": np.ones(2), "W": np.zeros(2)}), UpdateRule("sgd")
    state = rule.initial_state(4, "float64")
    report = compiled.run_batches(
        theta, state, np.ones((4, 2)), rule=rule, learning_rate=1.0, batch_size=4
    )
    assert (report.n_done, report.stopped, report.parameter) == (0, "non-finite gradient", "W")
    assert np.array_equal(vector.unpack(theta)["W"], np.zeros(2))


def test_a_batch_without_weight_moves_by_the_penalty_alone(tools):
    problem = Problem(tools, "float64")
    case, rule = problem.case, UpdateRule("sgd")
    own, state = case.theta.copy(), rule.initial_state(case.vector.size, "float64")
    report = case.compiled.run_batches(
        own, state, case.inputs, case.target, np.zeros(103), rule=rule, learning_rate=1.0,
        batch_size=103,
    )  # fmt: skip
    assert report.losses.tolist() == [0.0]
    values, before = case.vector.unpack(own), case.vector.unpack(case.theta)
    assert np.array_equal(values["b1"], before["b1"])
    W = before["W1"]
    np.testing.assert_allclose(values["W1"], W - 1e-2 * W - 2e-3 * np.sign(W), atol=1e-15)
