"""Linear classifiers: scikit-learn's logistic regression on the same objective, and the lecture."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.utils.class_weight import compute_sample_weight

from chainrule.errors import OptionError
from chainrule.estimators import OneVsAllClassifier, SoftmaxClassifier

LAMBDA = 1e-2


def logistic(X, alpha=LAMBDA, total=None, **options):
    C = 1 / ((len(X) if total is None else total) * alpha)
    return LogisticRegression(C=C, tol=1e-9, max_iter=20000, **options)


@pytest.mark.parametrize("solver", ["lbfgs", "cg", "newton-cg"])
@pytest.mark.parametrize("data", ["digits", "two_digits"])
def test_softmax_is_logistic_regression(solver, data, request):
    X, y = request.getfixturevalue(data)
    ours = SoftmaxClassifier(alpha=LAMBDA, solver=solver, tol=1e-8, max_iter=5000).fit(X, y)
    other = logistic(X).fit(X, y)
    assert ours.coef_.shape == other.coef_.shape
    np.testing.assert_allclose(ours.coef_, other.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, other.intercept_, atol=1e-4)
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(ours.decision_function(X), other.decision_function(X), atol=1e-3)
    np.testing.assert_array_equal(ours.predict(X), other.predict(X))


@pytest.mark.parametrize("weights", ["rows", "balanced", "dict", "both"])
def test_weights(digits, weights):
    X, y = digits
    X, y = X[y < 6], y[y < 6]
    row = np.random.default_rng(1).uniform(0.5, 2, len(X)) if weights in ("rows", "both") else None
    of_class = {"balanced": "balanced", "both": "balanced", "dict": {3: 5.0, 4: 0.2}}.get(weights)
    ours = SoftmaxClassifier(alpha=LAMBDA, tol=1e-8, class_weight=of_class)
    ours.fit(X, y, sample_weight=row)
    per_row = np.ones(len(X)) if row is None else row
    # alpha is a share of all weights; scikit-learn's C has the total in it
    total = per_row.sum()
    if weights == "dict":
        total = np.select([y == 3, y == 4], [5.0, 0.2], 1.0).sum()
    other = logistic(X, total=total, class_weight=of_class).fit(X, y, sample_weight=row)
    np.testing.assert_allclose(ours.coef_, other.coef_, atol=1e-4)


def test_no_intercept_and_no_penalty(two_digits):
    X, y = two_digits
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.2, 1 - y, y)  # not separable, so that a minimum exists
    X = X[:, [19, 20, 28, 36, 43]]
    ours = SoftmaxClassifier(alpha=0, fit_intercept=False, tol=1e-9).fit(X, y)
    other = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-9, max_iter=20000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, other.coef_, atol=1e-4)
    np.testing.assert_array_equal(ours.intercept_, [0.0])


@pytest.mark.filterwarnings("ignore::FutureWarning")  # the penalty's option has changed its name
@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
def test_l1_is_exactly_zero_where_scikit_learns_is(two_digits, l1_ratio):
    X, y = two_digits
    alpha = 0.01
    ours = SoftmaxClassifier(alpha=alpha, l1_ratio=l1_ratio, tol=1e-7).fit(X, y)
    other = LogisticRegression(
        C=1 / (len(X) * alpha),
        penalty="elasticnet",
        l1_ratio=l1_ratio,
        solver="saga",
        tol=1e-10,
        max_iter=100000,
    ).fit(X, y)
    np.testing.assert_allclose(ours.coef_, other.coef_, atol=1e-4)
    np.testing.assert_array_equal(ours.coef_ == 0, other.coef_ == 0)
    assert 0.3 < np.mean(ours.coef_ == 0) < 1
    p = ours.predict_proba(X)[np.arange(len(y)), y]
    penalty = l1_ratio * np.abs(ours.coef_).sum() + (1 - l1_ratio) / 2 * (ours.coef_**2).sum()
    assert ours.loss_ == pytest.approx(-np.log(p).mean() + alpha * penalty)


def test_l1_needs_a_solver_that_can(digits):
    with pytest.raises(OptionError, match="solver='cg' needs a smooth penalty.*lbfgs"):
        SoftmaxClassifier(l1_ratio=0.5, solver="cg").fit(*digits)


@pytest.mark.parametrize("data", ["digits", "two_digits"])
def test_one_vs_all_is_one_logistic_regression_a_class(data, request):
    X, y = request.getfixturevalue(data)
    ours = OneVsAllClassifier(alpha=LAMBDA, tol=1e-8).fit(X, y)
    other = OneVsRestClassifier(logistic(X)).fit(X, y)
    for k, one in enumerate(other.estimators_):
        np.testing.assert_allclose(ours.coef_[k], one.coef_[0], atol=1e-4)
        np.testing.assert_allclose(ours.intercept_[k], one.intercept_[0], atol=1e-4)
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), other.predict(X))
    if len(ours.classes_) > 2:
        np.testing.assert_array_equal(
            ours.predict(X), ours.classes_[ours.decision_function(X).argmax(axis=1)]
        )


def test_one_vs_all_counts_iterations_of_each_class(digits):
    X, y = digits
    full = OneVsAllClassifier(solver="cg").fit(X, y)
    assert full.n_iter_.shape == (10,)
    assert len(set(full.n_iter_)) > 1
    assert len(full.history_) == full.n_iter_.max()
    one_run = OneVsAllClassifier(solver="adam", tol=0.1).fit(X, y)
    assert set(one_run.n_iter_) == {len(one_run.loss_curve_)}


def test_one_vs_all_by_mini_batches_trains_each_class_for_itself(digits):
    # one class's labels are changed: only its own weights may change
    X, y = digits
    options = {"solver": "sgd", "max_iter": 5, "shuffle": False, "alpha": 0.01, "tol": 0}
    with pytest.warns(match="Maximum iterations"):
        before = OneVsAllClassifier(**options).fit(X, y)
    swapped = np.where(y == 9, 8, np.where(y == 8, 9, y))
    with pytest.warns(match="Maximum iterations"):
        after = OneVsAllClassifier(**options).fit(X, swapped)
    np.testing.assert_array_equal(before.coef_[:8], after.coef_[:8])
    np.testing.assert_allclose(before.coef_[[8, 9]], after.coef_[[9, 8]], atol=1e-15)


def test_mini_batches_come_near_the_minimum(digits):
    X, y = digits
    best = SoftmaxClassifier(alpha=0.01, tol=1e-8).fit(X, y)
    near = SoftmaxClassifier(
        alpha=0.01, solver="adam", learning_rate_init=0.01, max_iter=400, random_state=0, tol=1e-6
    ).fit(X, y)
    J, theta, *data = near.as_objective(X, y)
    assert best.loss_ < J(theta, *data)[0] < best.loss_ * 1.02


@pytest.mark.parametrize("kind", [SoftmaxClassifier, OneVsAllClassifier])
def test_sparse_rows(digits, kind):
    X, y = digits
    dense = kind(alpha=LAMBDA).fit(X, y)
    sparse = kind(alpha=LAMBDA).fit(scipy.sparse.csr_matrix(X), y)
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-6)
    np.testing.assert_allclose(
        sparse.decision_function(scipy.sparse.csc_matrix(X)), dense.decision_function(X), atol=1e-5
    )


def test_the_lectures_softmax_loss(digits):
    # L = 1/N Σ −log p_{y_i} + λ/2 Σ W²; ∂L_i/∂s = p − [k = y_i], as the lecture derives it
    X, y = digits
    model = SoftmaxClassifier(alpha=0.1)
    J, theta, X_, t = model.as_objective(X, y)
    theta = np.random.default_rng(0).normal(size=theta.size)
    loss, gradient = J(theta, X_, t)
    W, b = theta[:640].reshape(64, 10), theta[640:]
    e = np.exp(X @ W + b)
    p = e / e.sum(axis=1, keepdims=True)
    expected = -np.log(p[np.arange(len(y)), y]).mean() + 0.1 / 2 * (W**2).sum()
    assert loss == pytest.approx(expected, rel=1e-12)
    p[np.arange(len(y)), y] -= 1
    dW = X.T @ p / len(y) + 0.1 * W
    np.testing.assert_allclose(gradient[:640].reshape(64, 10), dW, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(gradient[640:], p.mean(axis=0), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", [SoftmaxClassifier, OneVsAllClassifier])
def test_warm_start_begins_where_the_last_fit_ended(digits, kind):
    X, y = digits
    model = kind(warm_start=True, alpha=LAMBDA).fit(X, y)
    first = np.max(model.n_iter_)
    assert np.max(model.fit(X, y).n_iter_) < first / 3


@pytest.mark.parametrize("kind", [SoftmaxClassifier, OneVsAllClassifier])
def test_partial_fit(digits, kind):
    X, y = digits
    model = kind(solver="adam", learning_rate_init=0.01, random_state=0)
    for _ in range(60):
        model.partial_fit(X, y, classes=range(10))
    assert model.score(X, y) > 0.95
    assert not hasattr(kind(solver="lbfgs"), "partial_fit")


CONVERGED = {
    "L2": {},
    "class weights": {"class_weight": {0: 3.0, 1: 0.5}},
    "balanced": {"class_weight": "balanced"},
    "L1": {"l1_ratio": 1.0},
    "L1 and L2, balanced": {"l1_ratio": 0.3, "class_weight": "balanced"},
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # the penalty's option has changed its name
@pytest.mark.parametrize("rows", ["dense", "CSR"])
@pytest.mark.parametrize("options", CONVERGED)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [SoftmaxClassifier, OneVsAllClassifier])
def test_at_the_minimum_logistic_regression_and_ours_are_one(digits, kind, classes, options, rows):
    X, y = digits
    X, y = X[y < classes][:, 16:48], y[y < classes]
    options = {"l1_ratio": 0.0, "class_weight": None} | CONVERGED[options]
    weight = compute_sample_weight(options["class_weight"], y)
    given = scipy.sparse.csr_matrix(X) if rows == "CSR" else X
    ours = kind(alpha=LAMBDA, tol=1e-8, max_iter=10000, **options).fit(given, y)
    single = LogisticRegression(
        C=1 / (weight.sum() * LAMBDA),
        solver="saga" if options["l1_ratio"] else "newton-cg",
        tol=1e-10 if options["l1_ratio"] else 1e-9,
        max_iter=100000,
        **(
            {"penalty": "elasticnet", "l1_ratio": options["l1_ratio"]}
            if options["l1_ratio"]
            else {}
        ),
    )
    if kind is SoftmaxClassifier or classes == 2:
        other = clone(single).fit(X, y, weight)
        coef, intercept = other.coef_, other.intercept_
        np.testing.assert_allclose(ours.predict_proba(given), other.predict_proba(X), atol=1e-4)
    else:
        found = [clone(single).fit(X, y == k, weight) for k in range(classes)]
        coef = np.concatenate([one.coef_ for one in found])
        intercept = np.concatenate([one.intercept_ for one in found])
    assert ours.coef_.shape == coef.shape
    np.testing.assert_allclose(ours.coef_, coef, atol=1e-4)
    if options["l1_ratio"]:
        np.testing.assert_array_equal(ours.coef_ == 0, coef == 0)
        assert np.any(coef == 0)
    if kind is OneVsAllClassifier or classes == 2:
        np.testing.assert_allclose(ours.intercept_, intercept, atol=1e-4)
    else:  # one number may be added to all of them
        np.testing.assert_allclose(
            ours.intercept_ - ours.intercept_.mean(), intercept - intercept.mean(), atol=1e-4
        )
