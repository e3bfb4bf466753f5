"""The objective: loss and gradient by hand, sums that add up, every kind of rows, refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse

import chainrule as cr
from chainrule.errors import DataError, GraphError, LabelError, ShapeError
from chainrule.training import Objective, rows
from chainrule.training.plan import Plan

BOTH = pytest.mark.parametrize("compiled", [False, True])


@BOTH
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_gradient_by_hand(make, compiled, weighted):
    problem = make(compiled=compiled)
    weight = np.random.default_rng(0).uniform(0, 3, size=53) if weighted else None
    loss, gradient = problem.objective(problem.theta0, problem.X, problem.y, weight)
    wanted = problem.by_hand(problem.theta0, problem.X, problem.y, weight)
    assert type(loss) is float
    assert loss == pytest.approx(wanted[0], rel=1e-12)
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-10, atol=1e-14)


@BOTH
def test_the_trace_computes_the_same(make, compiled):
    """The step-through and the objective are one and the same number."""
    problem = make(compiled=compiled)
    weight = np.arange(53.0)
    loss, gradient = problem.objective(problem.theta0, problem.X, problem.y, weight)
    trace = problem.objective.trace(problem.theta0, problem.X, problem.y, weight)
    assert float(trace.forward()) == pytest.approx(loss, rel=1e-12)
    named = trace.backward()
    parts = problem.objective.unpack(gradient)
    for name, part in parts.items():
        np.testing.assert_allclose(named[name], part, rtol=1e-10, atol=1e-14)


@BOTH
def test_sums_add_up(make, compiled):
    problem = make(compiled=compiled)
    weight = np.random.default_rng(0).uniform(size=53)
    J, theta = problem.objective, problem.theta0
    whole = J.sums(theta, problem.X, problem.y, weight)
    cut = [slice(0, 10), slice(10, 11), slice(11, 53)]
    parts = [J.sums(theta, problem.X[c], problem.y[c], weight[c]) for c in cut]
    assert sum(p.loss for p in parts) == pytest.approx(whole.loss, rel=1e-13)
    assert sum(p.weight for p in parts) == pytest.approx(whole.weight, rel=1e-13)
    np.testing.assert_allclose(sum(p.gradient for p in parts), whole.gradient, rtol=1e-11)
    cost, slope = J.penalty_and_gradient(theta)
    loss, gradient = J(theta, problem.X, problem.y, weight)
    assert whole.loss / whole.weight + cost == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(whole.gradient / whole.weight + slope, gradient, rtol=1e-12)


def test_blocks_of_rows_change_nothing(make, monkeypatch):
    problem = make(compiled=False)
    whole = problem.objective(problem.theta0, problem.X, problem.y)
    monkeypatch.setattr(rows.Rows.blocks, "__defaults__", (7,))
    blocks = problem.objective(problem.theta0, problem.X, problem.y)
    assert blocks[0] == pytest.approx(whole[0], rel=1e-13)
    np.testing.assert_allclose(blocks[1], whole[1], rtol=1e-11)


@BOTH
@pytest.mark.parametrize("order", ["C", "F"])
def test_where_numbers_lie_in_memory_changes_no_bit(make, compiled, order):
    """Arrays that came in a message begin anywhere: sums of them are those of any other array."""
    problem = make(compiled=compiled)
    random = np.random.default_rng(4)
    X = np.asarray(np.tile(problem.X, (400, 1)), order=order)
    y, weight = np.tile(problem.y, 400), random.uniform(0.5, 2, 400 * 53)
    home = problem.objective(problem.theta0, X, y, weight)
    abroad = problem.objective(problem.theta0, moved(X), moved(y), moved(weight))
    assert abroad[0] == home[0]
    assert abroad[1].tobytes() == home[1].tobytes()


def moved(array):
    """The same array, a byte off the place where such numbers lie."""
    place = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype)
    there = place.reshape(array.shape, order="C" if array.flags.c_contiguous else "F")
    there[...] = array
    assert not there.flags.aligned
    return there


@BOTH
def test_single_precision(make, compiled):
    problem = make(compiled=compiled)
    theta = problem.theta0.astype(np.float32)
    loss, gradient = problem.objective(theta, problem.X, problem.y)
    wanted = problem.by_hand(problem.theta0, problem.X, problem.y)
    assert gradient.dtype == np.float32
    assert loss == pytest.approx(wanted[0], rel=1e-5)
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-3, atol=1e-6)


@BOTH
@pytest.mark.parametrize("kind", ["uint8", "float32", "strided", "fortran", "list", "csr", "csc"])
def test_any_kind_of_rows(make, compiled, kind):
    problem = make(compiled=compiled)
    X = np.round(problem.X * 3 + 8).clip(0, 20)
    wanted = problem.by_hand(problem.theta0, X, problem.y)
    forms = {
        "uint8": lambda: X.astype(np.uint8),
        "float32": lambda: X.astype(np.float32),
        "strided": lambda: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        "fortran": lambda: np.asfortranarray(X),
        "list": lambda: X.tolist(),
        "csr": lambda: scipy.sparse.csr_array(X),
        "csc": lambda: scipy.sparse.csc_matrix(X),
    }
    loss, gradient = problem.objective(problem.theta0, forms[kind](), problem.y)
    assert loss == pytest.approx(wanted[0], rel=1e-12)
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-9, atol=1e-12)


def test_memory_mapped_rows(problem, tmp_path):
    np.save(tmp_path / "X.npy", problem.X)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    loss = problem.objective(problem.theta0, X, problem.y)[0]
    assert loss == pytest.approx(problem.by_hand(problem.theta0, problem.X, problem.y)[0])


def two_inputs(compiled=True):
    x = cr.input("x", ("rows", 3))
    category = cr.input("category", ("rows",), dtype=int)
    t = cr.target("t", ("rows", 1))
    table = cr.parameter("table", (4, 2), init=cr.normal(1.0))
    W = cr.parameter("W", (5, 1), init=cr.normal(1.0))
    features = cr.concatenate([x, cr.take(table, category)])
    return Objective(cr.squared_error(features @ W, t), compiled=compiled)


@BOTH
def test_several_inputs_by_name(compiled):
    rng = np.random.default_rng(0)
    J = two_inputs(compiled)
    theta = J.initial(0)
    X = {"category": rng.integers(4, size=20), "x": rng.normal(size=(20, 3))}
    y = rng.normal(size=(20, 1))
    parts = J.unpack(theta)
    features = np.hstack([X["x"], parts["table"][X["category"]]])
    residual = features @ parts["W"] - y
    loss, gradient = J(theta, X, y)
    assert loss == pytest.approx((residual**2).sum() / 40, rel=1e-12)
    found = J.unpack(gradient)
    np.testing.assert_allclose(found["W"], features.T @ residual / 20, rtol=1e-10)
    table = np.zeros((4, 2))
    np.add.at(table, X["category"], residual / 20 * parts["W"][3:].T)
    np.testing.assert_allclose(found["table"], table, rtol=1e-9, atol=1e-15)


@BOTH
def test_the_value_of_any_node_for_every_row(make, compiled):
    problem = make(compiled=compiled)
    scores = problem.objective.row_loss.inputs[0]
    found = problem.objective.forward(problem.theta0, problem.X, scores)
    parts = problem.objective.unpack(problem.theta0)
    h = np.tanh(problem.X @ parts["W1"] + parts["b1"])
    np.testing.assert_allclose(found, h @ parts["W2"] + parts["b2"], rtol=1e-11)


@BOTH
def test_a_penalty_of_ones_own(make, compiled):
    """Anything computed from parameters: here a penalty that couples two of them."""
    x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 1))
    a, b = cr.parameter("a", (2, 1), init=1.5), cr.parameter("b", (2, 1), init=-0.5)
    penalty = cr.sum(cr.exp(a * b)) * 0.3
    J = Objective(cr.squared_error(x @ (a + b), t), penalty, compiled=compiled)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 1))
    theta = J.initial()

    def by_hand(theta, X, y):
        p, q = theta[:2, None], theta[2:, None]
        r = X @ (p + q) - y
        e = 0.3 * np.exp(p * q)
        loss = (r**2).sum() / (2 * len(X)) + e.sum()
        g = X.T @ r / len(X)
        return loss, np.concatenate([(g + e * q).ravel(), (g + e * p).ravel()])

    loss, gradient = J(theta, X, y)
    wanted = by_hand(theta, X, y)
    assert loss == pytest.approx(wanted[0])
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-11)
    result = cr.training.minimize_batches(
        J, X, y, theta0=theta, update="sgd", batch_size=10, max_epochs=2, shuffle=False
    )
    for start in (0, 10, 20, 0, 10, 20):
        theta = theta - 0.1 * by_hand(theta, X[start : start + 10], y[start : start + 10])[1]
    np.testing.assert_allclose(result.theta, theta, rtol=1e-11)


def test_it_can_be_pickled(problem):
    J = problem.objective
    before = J(problem.theta0, problem.X, problem.y)
    again = pickle.loads(pickle.dumps(J))
    after = again(problem.theta0, problem.X, problem.y)
    assert before[0] == after[0]
    np.testing.assert_array_equal(before[1], after[1])


def test_a_plan_frees_nothing_that_is_still_needed():
    """Nodes read twice, constants, reused parameters: the plan agrees with the trace."""
    x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows", 3))
    W, c = cr.parameter("W", (3, 3)), cr.parameter("c", (3,))
    h = cr.tanh(x @ W + c)
    k = cr.maximum(h * h, cr.sin(h) - 2.0) / (3.0 + cr.exp(h @ W.T))
    graph = cr.Graph(cr.squared_error(k + h, t))
    rng = np.random.default_rng(0)
    values = {
        "x": rng.normal(size=(7, 3)), "t": rng.normal(size=(7, 3)),
        "W": rng.normal(size=(3, 3)), "c": rng.normal(size=3),
    }  # fmt: skip
    trace = cr.Trace(graph, values)
    wanted = trace.forward()
    named = trace.backward()
    plan = Plan(graph, np.dtype(float), graph.parameters)
    found = plan.forward({graph[name]: value for name, value in values.items()})
    np.testing.assert_array_equal(found[plan.output], wanted)
    gradients = plan.backward(found, np.ones(7))
    assert set(gradients) == set(graph.parameters)
    for node, gradient in gradients.items():
        np.testing.assert_allclose(gradient, named[str(node.name)], rtol=1e-14)


class TestRefusals:
    def test_of_graphs(self):
        x, t = cr.input("x", ("rows", 2)), cr.target("t", ("rows", 2))
        W = cr.parameter("W", (2, 2))
        loss = cr.squared_error(x @ W, t)
        other = cr.target("u", ("rows", 2))
        for make_wrong, message in [
            (lambda: Objective(cr.mean(loss)), "'mean'.*the objective takes the mean"),
            (lambda: Objective(cr.sum(x @ W, axis=1)), "exactly one target, got none"),
            (lambda: Objective(loss + cr.squared_error(x, other)), "exactly one target, got t, u"),
            (lambda: Objective(cr.squared_error(x, t)), "depends on no parameter"),
            (lambda: Objective(cr.squared_error(t @ W, t)), "reads no input"),
            (lambda: Objective(x @ W * t), "one number a row"),
            (lambda: Objective(x @ W.T @ x.T @ t), "'transpose_2' .2, rows. does not keep rows"),
            (lambda: Objective(loss, W), "must be a single number, got shape"),
            (lambda: Objective(loss, cr.mean(loss)), "parameters only, it reads 'x'"),
        ]:
            with pytest.raises(GraphError, match=message):
                make_wrong()

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"theta": np.zeros(7)}, ShapeError, "39 parameters, got shape \\(7,\\)"),
            ({"X": np.zeros((53, 4))}, ShapeError, "input 'x'.*\\(rows, 5\\).*\\(53, 4\\)"),
            ({"X": np.zeros((0, 5))}, DataError, "at least one row"),
            ({"X": np.full((53, 5), "a")}, DataError, "input 'x': expected numbers"),
            ({"X": {"z": np.zeros((53, 5))}}, GraphError, "keys x, got z"),
            ({"y": np.zeros(52, int)}, DataError, "53 rows, y shape \\(52,\\)"),
            ({"y": np.zeros(53)}, DataError, "target 't': expected integers"),
            ({"y": np.full(53, 3)}, LabelError, "got 3"),
            ({"y": np.full(53, -1)}, LabelError, "got -1"),
            ({"sample_weight": np.ones(3)}, DataError, "sample_weight must have shape \\(53,\\)"),
            ({"sample_weight": -np.ones(53)}, DataError, "numbers ≥ 0"),
            ({"sample_weight": np.full(53, np.nan)}, DataError, "numbers ≥ 0"),
            ({"sample_weight": np.zeros(53)}, DataError, "more than 0"),
        ],
    )
    def test_of_data(self, problem, change, error, message):
        given = {"theta": problem.theta0, "X": problem.X, "y": problem.y, **change}
        with pytest.raises(error, match=message):
            problem.objective(**given)

    def test_of_inputs_without_names(self):
        with pytest.raises(GraphError, match="2 inputs: give X as a mapping.*x, category"):
            two_inputs()(np.zeros(13), np.zeros((4, 3)), np.zeros((4, 1)))

    def test_of_inputs_of_different_lengths(self):
        X = {"x": np.zeros((4, 3)), "category": np.zeros(5, int)}
        with pytest.raises(DataError, match="same number of rows.*'x': 4.*'category': 5"):
            two_inputs()(np.zeros(13), X, np.zeros((4, 1)))


@BOTH
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_refused_where_that_is_asked(make, compiled, bad):
    problem = make(compiled=compiled)
    backend, output = problem.objective.backend(np.float64), problem.objective.row_loss.inputs[0]
    theta, X = problem.theta0, problem.X.copy()
    expected = backend.forward(theta, {"x": X}, output)
    checked = backend.forward(theta, {"x": X}, output, check_finite=True)
    np.testing.assert_array_equal(checked, expected)
    X[31, 2] = bad
    assert backend.forward(theta, {"x": X}, output).shape == expected.shape
    with pytest.raises(DataError, match="'x'.*expected finite numbers"):
        backend.forward(theta, {"x": X}, output, check_finite=True)
