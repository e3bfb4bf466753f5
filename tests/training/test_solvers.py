"""Full-batch solvers: SciPy's methods and gradient descent reach known optima."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import chainrule as cr
from chainrule.errors import NumericalError, OptionError
from chainrule.training import SOLVERS, Validation, minimize

METHODS = ["CG", "L-BFGS-B", "BFGS", "TNC", "Newton-CG"]


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X[:, :8], y


def logistic(strength: float, columns: int = 8):
    """Logistic regression with an unpenalised intercept."""
    x = cr.input("x", ("rows", columns))
    t = cr.target("t", ("rows", 1))
    w = cr.parameter("w", (columns, 1), init=0.0)
    b = cr.parameter("b", (1,), init=0.0)
    loss = cr.binary_cross_entropy_with_logits(x @ w + b, t)
    return cr.Objective(loss, penalty=cr.l2(w, strength=strength))


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_logistic_regression(cancer, solver):
    X, y = cancer
    strength = 0.01
    theirs = LogisticRegression(C=1 / (len(y) * strength), tol=1e-10, max_iter=10000).fit(X, y)
    J = logistic(strength)
    result = minimize(
        J, X, y[:, None], theta0=J.initial(), solver=solver, max_iter=5000,
        tol=None if solver == "tnc" else 1e-7, learning_rate=0.5,
        options={"ftol": 1e-14} if solver == "lbfgs" else None,
    )  # fmt: skip
    assert result.converged, result.message
    found = J.unpack(result.theta)
    np.testing.assert_allclose(found["w"].ravel(), theirs.coef_[0], atol=1e-4)
    np.testing.assert_allclose(found["b"], theirs.intercept_, atol=1e-4)
    assert result.loss == pytest.approx(J(result.theta, X, y[:, None])[0], abs=1e-12)
    assert result.n_iter == len(result.history)
    assert result.n_evaluations >= result.n_iter


@pytest.mark.parametrize("method", METHODS)
def test_the_objective_in_scipy_as_the_lecture_has_it(problem, method):
    J, theta0 = problem.objective, problem.theta0
    options = {"hessp": J.hessp} if method == "Newton-CG" else {}
    result = scipy.optimize.minimize(
        J, theta0, args=(problem.X, problem.y), method=method, jac=True, **options
    )
    reached = problem.by_hand(result.x, problem.X, problem.y)
    assert result.fun == pytest.approx(reached[0], rel=1e-12)
    assert np.abs(reached[1]).max() < 2e-3
    assert result.fun < J(theta0, problem.X, problem.y)[0] - 0.1


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "bfgs", "newton-cg"])
def test_our_run_is_scipys_run(problem, solver):
    """The same path: nothing that we count or remember changes what the solver does."""
    J = problem.objective
    method = {"cg": "CG", "lbfgs": "L-BFGS-B", "bfgs": "BFGS", "newton-cg": "Newton-CG"}[solver]
    options = {"hessp": J.hessp} if method == "Newton-CG" else {}
    args = (problem.X, problem.y)
    scipys = scipy.optimize.minimize(
        J, problem.theta0, args=args, method=method, jac=True, options={"maxiter": 7}, **options
    )
    ours = minimize(J, *args, theta0=problem.theta0, solver=solver, max_iter=7)
    np.testing.assert_array_equal(ours.theta, scipys.x)
    assert (ours.n_iter, ours.status) == (scipys.nit, "max_iter") == (7, "max_iter")


def test_the_history_holds_loss_and_gradient_at_each_iterate(problem):
    seen = []
    result = minimize(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, solver="cg", max_iter=9,
        callbacks=[lambda progress: seen.append(progress.theta.copy())],
    )  # fmt: skip
    wanted = [problem.by_hand(theta, problem.X, problem.y) for theta in seen]
    np.testing.assert_allclose(result.history["loss"], [loss for loss, _ in wanted], rtol=1e-12)
    norms = [np.linalg.norm(gradient) for _, gradient in wanted]
    np.testing.assert_allclose(result.history["gradient_norm"], norms, rtol=1e-9)
    assert result.history["epoch"] == list(range(1, 10))
    assert np.all(np.diff(result.history["seconds"]) >= 0)
    assert all(map(math.isnan, result.history["learning_rate"]))
    np.testing.assert_array_equal(result.theta, seen[-1])


def test_gradient_descent_is_the_lectures_loop(problem):
    theta = problem.theta0
    for _ in range(20):
        theta = theta - 0.3 * problem.by_hand(theta, problem.X, problem.y)[1]
    result = minimize(
        problem.objective, problem.X, problem.y,
        theta0=problem.theta0, solver="gd", learning_rate=0.3, max_iter=20,
    )  # fmt: skip
    np.testing.assert_allclose(result.theta, theta, rtol=1e-12)
    assert result.status == "max_iter"
    assert result.history["learning_rate"] == [0.3] * 20


def complex_gradient(problem, theta):
    """∇J by hand for complex θ, whose imaginary part carries an exact directional derivative."""
    return problem.by_hand(theta, problem.X, problem.y)[1]


def test_hessp_against_an_exact_hessian(problem):
    """Column i of H is Im ∇J(θ + iεe_i) / ε: a complex step has no rounding from differences."""
    theta, size = problem.theta0, problem.theta0.size
    H = np.empty((size, size))
    for i in range(size):
        step = theta.astype(complex)
        step[i] += 1e-30j
        H[:, i] = complex_gradient(problem, step).imag / 1e-30
    np.testing.assert_allclose(H, H.T, atol=1e-14)
    rng = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 1e6):
        v = scale * rng.normal(size=size)
        found = problem.objective.hessp(theta, v, problem.X, problem.y)
        assert np.linalg.norm(found - H @ v) / np.linalg.norm(H @ v) < 1e-7
    zero = np.zeros(size)
    np.testing.assert_array_equal(problem.objective.hessp(theta, zero, problem.X, problem.y), zero)


def test_single_precision_is_kept(problem):
    result = minimize(
        problem.objective, problem.X, problem.y, theta0=problem.theta0.astype(np.float32),
        solver="lbfgs", max_iter=30,
    )  # fmt: skip
    double = minimize(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, solver="lbfgs", max_iter=30
    )
    assert result.theta.dtype == np.float32
    assert result.loss == pytest.approx(double.loss, rel=1e-3)


def test_a_validation_keeps_the_best_iteration(problem):
    scores = iter([1.0, 5.0, 2.0, 3.0, 4.0, 4.5, 4.5])
    seen = []

    def validation(theta):
        seen.append(theta.copy())
        return Validation(next(scores), loss=0.5)

    result = minimize(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, max_iter=50,
        validation=validation, n_iter_no_change=3,
    )  # fmt: skip
    assert (result.n_iter, result.best_epoch, result.best_score) == (6, 2, 5.0)
    np.testing.assert_array_equal(result.theta, seen[1])
    assert result.loss == result.history["loss"][1]
    assert result.history["validation_score"] == [1.0, 5.0, 2.0, 3.0, 4.0, 4.5]
    assert result.history["validation_loss"] == [0.5] * 6
    assert "validation score" in result.message


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_stops_any_solver(problem, solver):
    result = minimize(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, solver=solver,
        callbacks=[lambda progress: progress.epoch == 3],
    )  # fmt: skip
    assert (result.n_iter, result.status) == (3, "callback")


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_interrupt_keeps_the_best_parameters(problem, solver):
    losses = []

    def interrupt(progress):
        losses.append(progress.history[-1]["loss"])
        if progress.epoch == 4:
            raise KeyboardInterrupt

    result = minimize(
        problem.objective, problem.X, problem.y, theta0=problem.theta0, solver=solver,
        learning_rate=0.5, callbacks=[interrupt],
    )  # fmt: skip
    assert result.status == "interrupted"
    assert "interrupted" in result.message
    assert result.loss <= min(losses)
    assert problem.objective(result.theta, problem.X, problem.y)[0] == pytest.approx(result.loss)


def poisson(scale: float):
    x, t = cr.input("x", ("rows", 3)), cr.target("t", ("rows", 1))
    w = cr.parameter("w", (3, 1), init=0.0)
    return cr.Objective(cr.poisson((x @ w) * scale, t))


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "bfgs"])
def test_a_trial_step_that_overflows_is_turned_back(solver):
    """The first step along the gradient lands at e^2000; the line search comes back from it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = rng.poisson(np.exp(X @ [0.5, -1.0, 0.3]))[:, None].astype(float)
    J = poisson(40.0)
    first = J(J.initial(), X, y)[1]
    with np.errstate(over="ignore", invalid="ignore"):
        assert not np.isfinite(J(-first / np.linalg.norm(first), X * 50, y)[0])
    result = minimize(J, X * 5, y, theta0=J.initial(), solver=solver, max_iter=2000, tol=1e-6)
    w = result.theta * 40.0 * 5
    assert np.abs(J(result.theta, X * 5, y)[1]).max() < 1e-2
    np.testing.assert_allclose(w, [0.5, -1.0, 0.3], atol=0.2)


def test_numbers_that_are_wrong_from_the_start_are_named(problem):
    X = problem.X.copy()
    X[7, 2] = np.nan
    with pytest.raises(NumericalError, match="'x' .*NaN.*data themselves") as caught:
        minimize(problem.objective, X, problem.y, theta0=problem.theta0)
    assert (caught.value.step, caught.value.layer) == (0, "x")
    np.testing.assert_array_equal(caught.value.theta, problem.theta0)


def test_descent_that_diverges_is_named(problem):
    with pytest.raises(NumericalError, match="parameters have grown|no longer finite") as caught:
        minimize(
            problem.objective, problem.X, problem.y,
            theta0=problem.theta0, solver="gd", learning_rate=1e160, max_iter=100,
        )  # fmt: skip
    assert np.all(np.isfinite(caught.value.theta))
    assert np.isfinite(problem.objective(caught.value.theta, problem.X, problem.y)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "newton"}, "solver must be one of cg, .*'newton'"),
        ({"solver": "gd", "learning_rate": 0.0}, "learning_rate must be .*> 0"),
        ({"max_iter": 0}, "max_iter must be an integer ≥ 1"),
    ],
)
def test_wrong_options_are_refused(problem, options, message):
    with pytest.raises(OptionError, match=message):
        minimize(problem.objective, problem.X, problem.y, theta0=problem.theta0, **options)


def test_dropout_needs_mini_batches(make):
    problem = make(rate=0.5)
    with pytest.raises(OptionError, match="dropout.*mini-batches"):
        minimize(problem.objective, problem.X, problem.y, theta0=problem.theta0)
