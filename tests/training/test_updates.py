"""Every update rule against a loop that writes its formula out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.utils import shuffle as sklearn_shuffle

import chainrule as cr
from chainrule.errors import OptionError
from chainrule.training import (
    SGD,
    UPDATES,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    RMSProp,
    make_update,
    minimize_batches,
)

EPOCHS, BATCH = 4, 16  # 53 rows: three full batches and one of 5


def gradients(problem, epochs=EPOCHS, batch=BATCH):
    """One function θ → gradient for every batch of the run, rows in their order."""
    for _ in range(epochs):
        for start in range(0, len(problem.X), batch):
            X, y = problem.X[start : start + batch], problem.y[start : start + batch]
            yield lambda theta, X=X, y=y: problem.by_hand(theta, X, y)[1]


def sgd(theta, steps):
    for g in steps:
        theta = theta - 0.2 * g(theta)
    return theta


def momentum(theta, steps):
    v = 0
    for g in steps:
        v = 0.8 * v - 0.2 * g(theta)
        theta = theta + v
    return theta


def nesterov(theta, steps):
    # the textbook form: the gradient is taken at the point looked ahead to, θ + μ v; what the
    # rule keeps is that point
    v, point = 0, theta
    for g in steps:
        v_new = 0.8 * v - 0.2 * g(point)
        theta = theta + v_new
        v, point = v_new, theta + 0.8 * v_new
    return point


def rmsprop(theta, steps):
    s = 0
    for g in steps:
        now = g(theta)
        s = 0.95 * s + 0.05 * now * now
        theta = theta - 0.01 * now / (s**0.5 + 1e-6)
    return theta


def adam(theta, steps):
    # with the bias corrections written on m and s; ε is scaled as the short form scales it
    m = s = 0
    for t, g in enumerate(steps, 1):
        now = g(theta)
        m, s = 0.8 * m + 0.2 * now, 0.99 * s + 0.01 * now * now
        m_hat, s_hat = m / (1 - 0.8**t), s / (1 - 0.99**t)
        theta = theta - 0.02 * m_hat / (s_hat**0.5 + 1e-6 / (1 - 0.99**t) ** 0.5)
    return theta


def adamw(theta, steps):
    weights = np.r_[np.ones(20), np.zeros(4), np.ones(12), np.zeros(3)]
    m = s = 0
    for t, g in enumerate(steps, 1):
        now = g(theta)
        theta = theta - 0.02 * 0.3 * weights * theta
        m, s = 0.8 * m + 0.2 * now, 0.99 * s + 0.01 * now * now
        m_hat, s_hat = m / (1 - 0.8**t), s / (1 - 0.99**t)
        theta = theta - 0.02 * m_hat / (s_hat**0.5 + 1e-6 / (1 - 0.99**t) ** 0.5)
    return theta


_ADAM = {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6}
RULES = {
    "sgd": (SGD(0.2), sgd),
    "momentum": (Momentum(0.2, momentum=0.8), momentum),
    "nesterov": (Nesterov(0.2, momentum=0.8), nesterov),
    "rmsprop": (RMSProp(0.01, rho=0.95, epsilon=1e-6), rmsprop),
    "adam": (Adam(**_ADAM), adam),
    "adamw": (AdamW(**_ADAM, weight_decay=0.3), adamw),
}


def test_every_rule_is_tested():
    assert set(RULES) == set(UPDATES)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_its_formula(make, name, compiled):
    problem = make(compiled=compiled)
    rule, by_hand = RULES[name]
    result = minimize_batches(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, update=rule,
        batch_size=BATCH, max_epochs=EPOCHS, shuffle=False, n_iter_no_change=None,
    )  # fmt: skip
    wanted = by_hand(problem.theta0, gradients(problem))
    np.testing.assert_allclose(result.theta, wanted, rtol=1e-11, atol=1e-13)
    assert np.abs(result.theta - problem.theta0).max() > 0.01


@pytest.mark.parametrize("name", RULES)
def test_single_precision_stays_single(problem, name):
    rule, by_hand = RULES[name]
    theta0 = problem.theta0.astype(np.float32)
    result = minimize_batches(
        problem.objective, problem.X, problem.y, theta0=theta0, update=rule,
        batch_size=BATCH, max_epochs=EPOCHS, shuffle=False,
    )  # fmt: skip
    assert result.theta.dtype == np.float32
    wanted = by_hand(problem.theta0, gradients(problem))
    np.testing.assert_allclose(result.theta, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_factors_clipping_and_weights(make, compiled):
    problem = make(compiled=compiled)
    weight = np.random.default_rng(0).uniform(0.1, 3, size=len(problem.X))
    result = minimize_batches(
        problem.objective, problem.X, problem.y, weight, theta0=problem.theta0,
        update=AdamW(0.05, weight_decay=0.2), batch_size=20, max_epochs=3, shuffle=False,
        penalty_scale="batch", clip_norm=0.2, drop_last=True,
        rate_factors={"b1": 0.1, "W2": 3.0}, decay_factors={"b2": 0.5, "W1": 0.0},
    )  # fmt: skip
    rate = 0.05 * np.r_[np.ones(20), np.full(4, 0.1), np.full(12, 3.0), np.ones(3)]
    decay = 0.2 * np.r_[np.zeros(20), np.zeros(4), np.ones(12), np.full(3, 0.5)]
    theta, m, s, t = problem.theta0, 0, 0, 0
    clipped = 0
    for _ in range(3):
        for start in (0, 20):  # the last 13 rows are dropped
            rows = slice(start, start + 20)
            w = weight[rows]
            g = problem.by_hand(theta, problem.X[rows], problem.y[rows], w, 1 / w.sum())[1]
            norm = (g @ g) ** 0.5
            clipped += norm > 0.2
            g = g * min(1, 0.2 / norm)
            t += 1
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            step = (1 - 0.999**t) ** 0.5 / (1 - 0.9**t) * m / (s**0.5 + 1e-8)
            theta = theta - rate * decay * theta - rate * step
    assert clipped
    np.testing.assert_allclose(result.theta, theta, rtol=1e-10, atol=1e-12)
    assert result.n_evaluations == t == 6


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("solver", "options"),
    [
        ("adam", {}),
        ("sgd", {"nesterovs_momentum": True}),
        ("sgd", {"nesterovs_momentum": False, "momentum": 0.5}),
        ("sgd", {"learning_rate": "invscaling", "power_t": 0.3}),
        ("sgd", {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2}),
        ("adam", {"tol": 0.03, "n_iter_no_change": 3}),
    ],
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_the_same_run_as_scikit_learn(solver, options, compiled):
    """Same start, same order of rows: the same losses, epoch for epoch, and the same end."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(90, 6)), rng.integers(3, size=90)
    weight = rng.uniform(0.5, 2, size=90)
    theirs = MLPClassifier(
        (7,), solver=solver, alpha=0.1, batch_size=32, max_iter=25, random_state=4,
        learning_rate_init=0.05, activation="tanh", **options,
    )  # fmt: skip
    state = np.random.RandomState(4)
    theta0 = _glorot(state)
    orders = _orders(state, 90)
    theirs.fit(X, y, weight)

    x, t = cr.input("x", ("rows", 6)), cr.target("t", ("rows",), dtype=int)
    W1, b1 = cr.parameter("W1", (6, 7)), cr.parameter("b1", (7,))
    W2, b2 = cr.parameter("W2", (7, 3)), cr.parameter("b2", (3,))
    scores = cr.tanh(x @ W1 + b1) @ W2 + b2
    objective = cr.Objective(
        cr.softmax_cross_entropy(scores, t), cr.l2(W1, W2, strength=0.1), compiled=compiled
    )
    if solver == "adam":
        update = Adam(0.05)
    elif options.get("nesterovs_momentum", True):
        update = Nesterov(0.05)
    else:
        update = Momentum(0.05, momentum=0.5)
    kind = options.get("learning_rate", "constant")
    schedule = cr.training.InverseScaling(options["power_t"]) if kind == "invscaling" else kind
    ours = minimize_batches(
        objective, X, y, weight, theta0=theta0, update=update, schedule=schedule,
        batch_size=32, max_epochs=25, order=lambda epoch: orders[epoch], penalty_scale="batch",
        tol=options.get("tol", 1e-4), n_iter_no_change=options.get("n_iter_no_change", 10),
    )  # fmt: skip
    assert ours.n_iter == theirs.n_iter_
    assert ours.trainer.rows_seen == theirs.t_
    np.testing.assert_allclose(ours.history["loss"], theirs.loss_curve_, rtol=1e-9)
    found = objective.unpack(ours.theta)
    np.testing.assert_allclose(found["W1"], theirs.coefs_[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found["b2"], theirs.intercepts_[1], rtol=1e-7, atol=1e-9)


def _glorot(state):
    """scikit-learn's initial weights, drawn in its order: W1, b1, W2, b2."""
    parts = []
    for fan_in, fan_out in ((6, 7), (7, 3)):
        bound = (6 / (fan_in + fan_out)) ** 0.5
        parts.append(state.uniform(-bound, bound, (fan_in, fan_out)).ravel())
        parts.append(state.uniform(-bound, bound, fan_out))
    return np.concatenate(parts)


def _orders(state, rows, epochs=25):
    """scikit-learn shuffles the order of the epoch before."""
    order, orders = np.arange(rows), []
    for _ in range(epochs):
        order = sklearn_shuffle(order, random_state=state)
        orders.append(order)
    return orders


def test_a_rule_by_name():
    assert make_update("adam") == Adam()
    assert make_update("sgd", 0.5) == SGD(0.5)
    assert make_update(RMSProp(0.3)) == RMSProp(0.3)
    with pytest.raises(OptionError, match="update must be one of sgd, .*'adagrad'"):
        make_update("adagrad")


@pytest.mark.parametrize(
    ("make_wrong", "message"),
    [
        (lambda: SGD(-1.0), "sgd: learning_rate"),
        (lambda: Adam(beta_1=1.0), "adam: beta_1 .*< 1"),
        (lambda: AdamW(weight_decay=float("nan")), "adamw: weight_decay"),
        (lambda: Momentum(momentum="much"), "momentum: momentum"),  # type: ignore[arg-type]
    ],
)
def test_impossible_options_are_refused(make_wrong, message):
    with pytest.raises(OptionError, match=message):
        make_wrong()
