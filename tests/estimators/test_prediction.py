"""Prediction: straight to the network where rows need no validation, and what users may edit."""

from unittest import mock

import numpy as np
import pytest
import sklearn

from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    SoftmaxClassifier,
    base,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier)


@pytest.fixture
def unvalidated():
    """Fails where rows go through general validation."""
    with mock.patch.object(base, "check_rows", side_effect=AssertionError("validated")):
        yield


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_plain_arrays_are_not_validated(digits, kind, precision, unvalidated):
    X, y = digits
    X = X.astype(precision)
    model = kind(max_iter=3).fit(X, y)
    for rows in (X, X[:1], X[::2], np.asfortranarray(X)):
        assert len(model.predict(rows)) == len(rows)
    for rows in (
        X.tolist(),
        X.astype(np.float32 if precision == np.float64 else np.float64),
        X[:, :5],
        X[0],
        X.astype(object),
    ):
        with pytest.raises(AssertionError, match="validated"):
            model.predict(rows)


@pytest.mark.parametrize("kind", ALL)
def test_finiteness_is_checked_unless_assumed(digits, kind):
    X, y = digits
    model = kind(max_iter=3).fit(X, y)
    holed = X.copy()
    holed[2, 7] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(holed)
    with sklearn.config_context(assume_finite=True):
        assert len(model.predict(holed)) == len(X)
    holed[2, 7], holed[2, 8] = np.inf, -np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.predict(holed)
    # a sum that overflows is no infinity in the data
    large = np.full((2, 64), 1e308)
    assert len(model.predict(large)) == 2


def test_names_of_columns_are_asked_for(digits, unvalidated):
    pandas = pytest.importorskip("pandas")
    X, y = digits
    model = SoftmaxClassifier(max_iter=3)
    model.fit(pandas.DataFrame(X, columns=[f"pixel {i}" for i in range(64)]), y)
    with pytest.raises(AssertionError, match="validated"):
        model.predict(X)


def test_rows_one_by_one_are_as_all_at_once(digits):
    X, y = digits
    for kind in ALL:
        model = kind(max_iter=3).fit(X, y)
        one_by_one = np.concatenate([model.predict(X[i : i + 1]) for i in range(40)])
        np.testing.assert_allclose(one_by_one, model.predict(X[:40]), rtol=1e-12)


def test_perceptrons_compute_what_their_arrays_say(digits, values):
    X, y = digits
    model = MLPClassifier((9, 5), activation="tanh", max_iter=5).fit(X, y)
    h = X
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        h = np.tanh(h @ W + b)
    e = np.exp(h @ model.coefs_[-1] + model.intercepts_[-1])
    np.testing.assert_allclose(model.predict_proba(X), e / e.sum(axis=1, keepdims=True), rtol=1e-10)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))
    X, y = values
    model = MLPRegressor("poisson", (9,), max_iter=5).fit(X, np.exp(y))
    h = np.maximum(0, X @ model.coefs_[0] + model.intercepts_[0])
    expected = np.exp(h @ model.coefs_[1] + model.intercepts_[1])[:, 0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-10)


def test_probabilities_of_two_classes(two_digits):
    X, y = two_digits
    for kind in (MLPClassifier, SoftmaxClassifier, OneVsAllClassifier):
        p = kind(max_iter=10).fit(X, y).predict_proba(X)
        assert p.shape == (len(X), 2)
        np.testing.assert_allclose(p.sum(axis=1), 1)


def test_probabilities_of_far_scores_are_finite(two_digits):
    X, y = two_digits
    model = OneVsAllClassifier(max_iter=20).fit(np.tile(X, (2, 1)), np.r_[y, y + 2])
    p = model.predict_proba(1e6 * X)
    assert np.all(np.isfinite(p))
    assert np.all(np.isclose(p.sum(axis=1), 1) | (p.sum(axis=1) == 0))


def test_edited_arrays_are_heard(digits):
    X, y = digits
    model = MLPClassifier((9,), max_iter=3).fit(X, y)
    before = model.predict_proba(X)
    model.coefs_[1][:, 0] = 0.0  # in place
    model.intercepts_[1][0] = 50.0
    assert set(model.predict(X)) == {0}
    model.intercepts_ = [model.intercepts_[0], np.zeros(10)]  # replaced
    model.coefs_[1] = np.zeros((9, 10))
    np.testing.assert_allclose(model.predict_proba(X), 0.1)
    assert not np.allclose(before, 0.1)
    linear = SoftmaxClassifier(max_iter=3).fit(X, y)
    linear.coef_ = np.zeros((10, 64))
    linear.intercept_ = np.arange(10.0)
    assert set(linear.predict(X)) == {9}


def test_arrays_are_views_of_one_vector(digits):
    model = MLPClassifier((9,), max_iter=3).fit(*digits)
    W1, b1 = model.parameters_["W1"], model.parameters_["b1"]
    assert np.shares_memory(W1, model.coefs_[0])
    assert np.shares_memory(b1, model.intercepts_[0])
    assert W1.base is b1.base is model.coefs_[1].base


def test_fitting_does_not_touch_what_was_given(digits):
    X, y = digits
    X, y, weight = X.copy(), y.copy(), np.linspace(0, 1, len(y))
    for one in (X, y, weight):
        one.flags.writeable = False
    for kind in ALL:
        kind(max_iter=3).fit(X, y, weight).predict(X)
