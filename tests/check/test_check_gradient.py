"""The gradient check: right gradients pass, gradients made wrong on purpose do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import chainrule as cr
from chainrule.check.kinks import crosses_a_kink
from chainrule.errors import (
    ChainruleError,
    GradientError,
    NumericalError,
    OptionError,
    ShapeError,
    WrongTypeError,
)

F, H, C, ROWS = 3, 4, 3, 20
LAMBDA = 0.05


def network(activation=cr.tanh, penalty=cr.l2, features=F, hidden=H):
    x, t = cr.input("x", ("rows", features)), cr.target("t", ("rows",), dtype=int)
    W1, b1 = cr.parameter("W1", (features, hidden)), cr.parameter("b1", (hidden,))
    W2, b2 = cr.parameter("W2", (hidden, C)), cr.parameter("b2", (C,))
    scores = activation(x @ W1 + b1) @ W2 + b2
    regularity = penalty(W1, W2, strength=LAMBDA) if penalty else None
    return cr.Objective(cr.softmax_cross_entropy(scores, t), penalty=regularity)


def data(seed=0, rows=ROWS, features=F):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, features)), rng.integers(C, size=rows)


class Wrong:
    """An objective whose gradient is changed after it was computed."""

    def __init__(self, objective, change):
        self.objective, self.change = objective, change
        self.vector, self.trace = objective.vector, objective.trace
        self.initial = objective.initial

    def __call__(self, theta, X, y, sample_weight=None):
        loss, gradient = self.objective(theta, X, y, sample_weight)
        gradient = gradient.copy()
        self.change(self.objective.unpack(gradient), self.objective.unpack(theta))
        return loss, gradient


# right -----------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [cr.l1, cr.l2, None])
@pytest.mark.parametrize(
    "activation",
    [cr.sigmoid, cr.tanh, cr.relu, cr.leaky_relu, cr.elu, cr.selu, cr.gelu, cr.silu, cr.mish],
)
def test_right_gradients_pass(activation, penalty):
    X, y = data()
    objective = network(activation, penalty)
    report = cr.check_gradient(objective, X, y)
    assert report.ok
    assert report.raise_if_wrong() is report
    assert report.worst.relative_error < 1e-6
    assert [(one.name, one.checked, one.wrong) for one in report.parameters] == [
        ("W1", F * H, 0),
        ("b1", H, 0),
        ("W2", H * C, 0),
        ("b2", C, 0),
    ]
    assert "all 31 entries" in str(report)


def test_no_false_alarm_near_kinks():
    """200 ReLU networks, each unit of which stands within a step of its corner for some row."""
    objective = network(cr.relu, penalty=None, features=2, hidden=3)
    kinks = 0
    for seed in range(200):
        X, y = data(seed, rows=6, features=2)
        rng = np.random.default_rng(seed)
        theta = rng.normal(size=objective.vector.size)
        values = objective.unpack(theta)
        # unit j is nearly 0 for row j; from far outside the step to well inside the smallest
        distance = 10.0 ** -rng.uniform(4, 10, size=3) * rng.choice([-1, 1], size=3)
        values["b1"][:] = distance - np.sum(X[:3].T * values["W1"], axis=0)
        report = cr.check_gradient(objective, X, y, theta=theta)
        assert report.ok, f"seed {seed}\n{report}"
        kinks += len(report.kinks)
        if seed % 10 == 0:
            wrong = Wrong(objective, lambda g, _: g["W2"].__imul__(1.001))
            assert not cr.check_gradient(wrong, X, y, theta=theta).ok, f"seed {seed}"
    assert kinks > 50


def test_a_unit_on_its_corner_is_a_kink_and_no_error():
    objective = network(cr.relu, penalty=None)
    X, y = data()
    theta = np.random.default_rng(0).normal(size=objective.vector.size)
    values = objective.unpack(theta)
    values["b1"][2] = -X[5] @ values["W1"][:, 2] + 1e-12
    report = cr.check_gradient(objective, X, y, theta=theta)
    assert report.ok
    assert {kink.place for kink in report.kinks} == {"b1[2]", "W1[0, 2]", "W1[1, 2]", "W1[2, 2]"}
    assert "Kinks: at 4 entries" in str(report)
    wrong = Wrong(objective, lambda g, _: g["b2"].__setitem__(0, 0.0))
    again = cr.check_gradient(wrong, X, y, theta=theta)
    assert not again.ok
    assert len(again.kinks) == 4


def test_kinks_are_found_in_every_block_of_rows():
    """In the last row of several thousand, of data that come by name."""
    objective = network(cr.relu, penalty=None)
    X, y = data(rows=5000)
    theta = np.random.default_rng(0).normal(size=objective.vector.size)
    apart = theta.copy()
    objective.unpack(theta)["b1"][2] = -X[-1] @ objective.unpack(theta)["W1"][:, 2] + 1e-12
    objective.unpack(apart)["b1"][2] = objective.unpack(theta)["b1"][2] - 2e-12
    assert crosses_a_kink(objective, apart, theta, {"x": X}, y)
    assert crosses_a_kink(objective, apart, theta, X, y)
    assert not crosses_a_kink(objective, apart, theta, X[:-1], y[:-1])
    assert not crosses_a_kink(network(cr.tanh), apart, theta, X, y)


def test_a_penalty_on_its_corner_is_a_kink_too():
    objective = network(cr.tanh, penalty=cr.l1)
    X, y = data()
    theta = np.random.default_rng(0).normal(size=objective.vector.size)
    objective.unpack(theta)["W2"][1, 2] = 1e-12
    report = cr.check_gradient(objective, X, y, theta=theta)
    assert report.ok
    assert [kink.place for kink in report.kinks] == ["W2[1, 2]"]


def test_a_loss_on_its_corner_is_a_kink_too():
    x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows", 1))
    w = cr.parameter("w", (1, 1))
    objective = cr.Objective(cr.absolute_error(x @ w, t))
    report = cr.check_gradient(objective, [[1.0], [2.0]], [[3.0], [1.0]], theta=[3 + 1e-12])
    assert [kink.place for kink in report.kinks] == ["w[0, 0]"]
    assert report.worst is None
    assert report.ok
    assert "Nothing could be compared" in str(report)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 255.0, 1e4])
def test_the_scale_of_the_data_raises_no_alarm(scale):
    X, y = data()
    for activation in (cr.sigmoid, cr.relu):
        report = cr.check_gradient(network(activation), scale * X, y)
        assert report.ok, str(report)


def test_a_tiny_loss_with_large_scores_raises_no_alarm():
    """Rounding of scores near 10³ is far above the rounding of a loss near 10⁻³."""
    objective = network(cr.tanh, penalty=None)
    X, y = data()
    theta = np.random.default_rng(0).normal(size=objective.vector.size)
    objective.unpack(theta)["b2"][:] += 1e3
    report = cr.check_gradient(objective, X, y, theta=theta)
    assert report.ok, str(report)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_it_computes_in_float64_whatever_the_data_are(dtype):
    X, y = data()
    X = (10 * np.abs(X)).astype(dtype)
    report = cr.check_gradient(network(), X, y, theta=np.full(31, 0.1, np.float32))
    assert report.ok
    assert report.worst.relative_error < 1e-6


def test_weights_of_rows_are_part_of_what_is_checked():
    X, y = data()
    weight = np.random.default_rng(0).uniform(0, 3, size=ROWS)
    weight[:5] = 0
    objective = network()
    weighted = cr.check_gradient(objective, X, y, sample_weight=weight)
    assert weighted.ok
    theta = np.full(31, 0.1)
    expected = objective(theta, X, y, weight)[0]
    assert cr.check_gradient(objective, X, y, sample_weight=weight, theta=theta).loss == expected

    def ignores_weights(theta, X, y, sample_weight=None):
        return objective(theta, X, y, sample_weight)[0], objective(theta, X, y)[1]

    report = cr.check_gradient(ignores_weights, X, y, sample_weight=weight, theta=theta)
    assert not report.ok


def test_several_inputs_and_sparse_ones():
    a, b = cr.input("a", ("rows", 2)), cr.input("b", ("rows",), dtype=int)
    t = cr.target("t", ("rows", 1))
    table, W = cr.parameter("table", (3, 2)), cr.parameter("W", (4, 1))
    scores = cr.relu(cr.concatenate([a, cr.take(table, b)])) @ W
    objective = cr.Objective(cr.squared_error(scores, t))
    rng = np.random.default_rng(0)
    X = {"a": rng.normal(size=(6, 2)), "b": rng.integers(3, size=6)}
    assert cr.check_gradient(objective, X, rng.normal(size=(6, 1))).ok

    x_sparse = sparse.csr_array(data()[0] * (np.arange(F) > 0))
    assert cr.check_gradient(network(cr.relu), x_sparse, data()[1]).ok


# wrong on purpose ------------------------------------------------------------------------


def one_index(g, _):
    g["W1"][2, 1] += 1e-4


def penalised_bias(g, theta):
    g["b1"] += LAMBDA * theta["b1"]


def forgotten_l2(g, theta):
    g["W2"] -= LAMBDA * theta["W2"]


ERRORS = {
    "sign": (lambda g, _: g["W2"].__imul__(-1), "W2", "the sign is flipped"),
    "factor": (lambda g, _: g["W1"].__imul__(1.001), "W1", "constant factor of 1.001"),
    "twice": (lambda g, _: g["b1"].__imul__(2), "b1", "twice too large"),
    "half": (lambda g, _: g["b2"].__imul__(0.5), "b2", "half of what it should be"),
    "sum": (lambda g, _: g["W1"].__imul__(ROWS), "W1", "20 times too large: a sum over rows"),
    "mean of mean": (lambda g, _: g["W1"].__itruediv__(ROWS), "W1", "by the 20 rows once too"),
    "one index": (one_index, "W1", "only this one of 12 entries"),
    "missing": (lambda g, _: g["W2"].__imul__(0), "W2", "is 0, as if the parameter were missing"),
    "forgotten penalty": (forgotten_l2, "W2", r"lacks 0.05 · θ: .* l2 penalty .* forgotten"),
    "penalised bias": (penalised_bias, "b1", r"0.05 · θ too much: .* bias that should be exempt"),
    "transposed": (
        lambda g, _: g["W1"].__setitem__(slice(None), np.roll(g["W1"], 1)),
        "W1",
        "no simple pattern",
    ),
    "nan": (lambda g, _: g["b2"].__imul__(np.nan), "b2", "not finite"),
}


@pytest.mark.parametrize("activation", [cr.tanh, cr.relu])
@pytest.mark.parametrize("error", ERRORS)
def test_gradients_made_wrong_on_purpose_are_found(error, activation):
    change, parameter, message = ERRORS[error]
    X, y = data()
    report = cr.check_gradient(Wrong(network(activation), change), X, y)
    assert not report.ok
    assert [one.name for one in report.parameters if not one.ok] == [parameter]
    assert report.worst.parameter == parameter
    assert f"wrong in {parameter}" in str(report)
    with pytest.raises(GradientError, match=message):
        report.raise_if_wrong()


def test_the_worst_entry_is_named():
    X, y = data()
    objective = network()
    report = cr.check_gradient(Wrong(objective, one_index), X, y)
    worst = report.worst
    assert (worst.parameter, worst.index, worst.place) == ("W1", (2, 1), "W1[2, 1]")
    assert worst.analytic - worst.numerical == pytest.approx(1e-4, rel=1e-4)
    size = max(abs(worst.analytic), abs(worst.numerical))
    assert worst.relative_error == pytest.approx(1e-4 / size, rel=1e-3)
    (parameter,) = [one for one in report.parameters if not one.ok]
    assert (parameter.wrong, parameter.checked) == (1, 12)


def test_a_forgotten_l1_penalty():
    X, y = data()
    objective = network(penalty=cr.l1)
    wrong = Wrong(objective, lambda g, theta: g["W1"].__isub__(LAMBDA * np.sign(theta["W1"])))
    with pytest.raises(GradientError, match="lacks 0.05 · sign θ: the gradient of an l1 penalty"):
        cr.check_gradient(wrong, X, y).raise_if_wrong()


def test_a_bias_that_starts_at_zero_is_checked_elsewhere():
    """At b = 0 a penalty on b has no slope: a check there could not see that it is too much."""
    objective = network()
    assert not objective.unpack(objective.initial(0))["b1"].any()
    X, y = data()
    assert not cr.check_gradient(Wrong(objective, penalised_bias), X, y).ok
    assert cr.check_gradient(Wrong(objective, penalised_bias), X, y, theta=np.zeros(31)).ok


def test_the_tolerance_decides():
    X, y = data()
    slightly = Wrong(network(), lambda g, _: g["W1"].__imul__(1 + 1e-5))
    assert not cr.check_gradient(slightly, X, y).ok
    assert cr.check_gradient(slightly, X, y, tol=1e-4).ok


# large problems --------------------------------------------------------------------------


def test_a_large_problem_is_sampled():
    objective = network(features=50, hidden=8)
    X, y = data(features=50)
    report = cr.check_gradient(objective, X, y, max_entries=60)
    assert report.ok
    assert "60 of 435 entries, drawn with seed 0, and 5 random directions" in report.extent
    checked = {one.name: one.checked for one in report.parameters}
    assert checked == {"W1": 25, "b1": 8, "W2": 24, "b2": 3}  # small ones whole
    assert all(one.directions == 5 for one in report.parameters)


def test_random_directions_see_what_the_sample_does_not():
    objective = network(features=50, hidden=8)
    X, y = data(features=50)

    def unsampled(g, _):
        g["W1"][3:, :] *= 1.01

    found = 0
    for seed in range(10):
        report = cr.check_gradient(
            Wrong(objective, unsampled), X, y, max_entries=4, random_state=seed
        )
        (W1, *others) = report.parameters
        assert W1.checked == 1
        assert all(one.ok for one in others)
        found += not W1.ok
        if W1.wrong and W1.worst.index is None and "raise max_entries" in W1.diagnosis:
            assert W1.worst.place == "W1, a random direction"
    assert found == 10


def test_the_same_seed_gives_the_same_report():
    objective = network(features=50, hidden=8)
    X, y = data(features=50)
    reports = [
        str(cr.check_gradient(objective, X, y, max_entries=30, random_state=seed))
        for seed in (1, 1, 2)
    ]
    assert reports[0] == reports[1] != reports[2]


# who can be checked ----------------------------------------------------------------------


class Model:
    """The one method that a model needs, labels encoded."""

    def __init__(self, objective, theta):
        self.objective, self.theta = objective, theta

    def as_objective(self, X, y):
        return self.objective, self.theta, X, np.unique(y, return_inverse=True)[1]


def test_a_model_is_checked_through_its_objective():
    X, y = data()
    theta = np.random.default_rng(0).normal(size=31)
    before = theta.copy()
    report = cr.check_gradient(Model(network(), theta), X, np.array(["a", "b", "c"])[y])
    assert report.ok
    assert report.loss == pytest.approx(network()(theta, X, y)[0], rel=1e-15)
    np.testing.assert_array_equal(theta, before)


def test_a_plain_function_is_checked_where_it_is_told():
    def objective(theta, X, y):
        residual = X @ theta - y
        return residual @ residual / 2, X.T @ residual

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 3)), rng.normal(size=5)
    report = cr.check_gradient(objective, X, y, theta=rng.normal(size=3))
    assert report.ok
    assert [one.name for one in report.parameters] == ["theta"]
    with pytest.raises(OptionError, match="say where to check"):
        cr.check_gradient(objective, X, y)
    with pytest.raises(ShapeError, match=r"theta's shape \(3,\), got \(2,\)"):
        cr.check_gradient(lambda *a: (0.0, np.ones(2)), X, y, theta=np.ones(3))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"tol": 0}, OptionError, "tol must be"),
        ({"max_entries": 0}, OptionError, "max_entries must be"),
        ({"theta": np.ones(30)}, ShapeError, "31 parameters"),
        ({"theta": np.ones((31, 1))}, ShapeError, "vector of numbers"),
        ({"theta": np.full(31, np.nan)}, NumericalError, "the loss is nan"),
        ({"sample_weight": np.zeros(ROWS)}, ChainruleError, "more than 0"),
        ({"model_or_objective": "mlp"}, WrongTypeError, "came str"),
    ],
)
def test_what_cannot_be_checked(change, error, message):
    X, y = data()
    arguments = {"model_or_objective": network(), "X": X, "y": y} | change
    with pytest.raises(error, match=message):
        cr.check_gradient(**arguments)


# the report ------------------------------------------------------------------------------


def test_a_report_is_readable():
    X, y = data()
    text = str(cr.check_gradient(Wrong(network(), forgotten_l2), X, y))
    assert repr(cr.check_gradient(Wrong(network(), forgotten_l2), X, y)) == text
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    assert lines[0] == "parameter compared worst entry analytic numerical error"
    assert [line.split(" [")[0] for line in lines[2:6]] == [
        "W1 (3 × 4) 12",
        "b1 (4) 4",
        "W2 (4 × 3) 12",
        "b2 (3) 3",
    ]
    assert [line.endswith("ok") for line in lines[2:6]] == [True, True, False, True]
    assert lines[4].endswith("12 wrong")
    assert lines[6] == "Compared: all 31 entries."
    assert lines[7].startswith("W2: it lacks 0.05 · θ")
    assert "The gradient is wrong in W2: worst at W2[" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_progress_bar_on_request_only(capsys):
    X, y = data()
    cr.check_gradient(network(), X, y, progress=False)
    cr.check_gradient(network(), X, y)
    assert capsys.readouterr() == ("", "")
    cr.check_gradient(network(), X, y, progress=True)
    assert "31/31" in capsys.readouterr().err
