"""scikit-learn's perceptrons become chainrule's and go back, without a digit lost."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor

import chainrule as cr
from chainrule.errors import ExportError, WrongTypeError
from chainrule.estimators import MLPClassifier, MLPRegressor, SoftmaxClassifier
from chainrule.exchange import from_sklearn, to_sklearn

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def targets(digits):
    X, y = digits
    return {
        "ten": y,
        "two": np.where(y > 4, "high", "low"),
        "many": np.stack([y == 0, y > 4, X[:, 20] > 0.5], axis=1).astype(int),
    }


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def assert_same(found, model, X):
    np.testing.assert_allclose(outputs(found, X), outputs(model, X), rtol=1e-12, atol=1e-14)
    if hasattr(model, "classes_"):
        np.testing.assert_array_equal(found.predict(X), model.predict(X))
    for one, other in zip(found.coefs_, model.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["ten", "two", "many"])
def test_a_classifier_there_and_back(digits, activation, kind):
    X, y = digits[0], targets(digits)[kind]
    theirs = SklearnClassifier((8, 5), activation=activation, max_iter=4, random_state=0).fit(X, y)
    ours = from_sklearn(theirs)
    assert isinstance(ours, MLPClassifier)
    assert_same(ours, theirs, X)
    assert ours.score(X, y) == theirs.score(X, y)
    assert ours.loss_curve_ == theirs.loss_curve_
    assert len(ours.history_) == ours.n_iter_ == 4
    assert ours.summary()
    back = to_sklearn(ours)
    assert type(back) is SklearnClassifier
    assert back.get_params() == theirs.get_params()
    assert_same(back, theirs, X)
    assert back.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("outputs_", [1, 2])
def test_a_regressor_there_and_back(values, activation, outputs_):
    X, y = values
    y = y[:, 0] if outputs_ == 1 else y
    theirs = SklearnRegressor(
        hidden_layer_sizes=(8,), activation=activation, max_iter=4, random_state=0
    ).fit(X, y)
    ours = from_sklearn(theirs)
    assert isinstance(ours, MLPRegressor)
    assert_same(ours, theirs, X)
    assert_same(to_sklearn(ours), theirs, X)


def test_our_own_fit_becomes_scikit_learns(digits, tmp_path):
    X, y = digits
    ours = MLPClassifier((8,), activation=["sigmoid"], solver="cg", max_iter=4, random_state=0)
    ours.fit(X, y)
    theirs = to_sklearn(ours)
    assert_same(theirs, ours, X)
    theirs.set_params(max_iter=2, warm_start=False).fit(X, y)  # it can be trained again
    cr.save(from_sklearn(theirs), tmp_path / "m.safetensors")
    assert_same(cr.load(tmp_path / "m.safetensors"), theirs, X)


def test_single_precision_and_warm_starts(digits):
    X, y = digits
    theirs = SklearnClassifier((8,), max_iter=3, random_state=0).fit(X.astype("f4"), y)
    ours = from_sklearn(theirs)
    assert ours.coefs_[0].dtype == np.float32
    before = ours.score(X, y)
    ours.set_params(warm_start=True, max_iter=30).fit(X.astype("f4"), y)
    assert ours.score(X, y) > before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"activation": "gelu"},
            "activation: expected one of identity, .* came 'gelu'",
        ),
        ({"activation": ["tanh", "relu"]}, r"activation: .* came \['tanh', 'relu'\]"),
        ({"layers": [cr.Dense(4)]}, "to_sklearn: layers: expected None"),
    ],
)
def test_what_scikit_learn_cannot_hold_is_refused(digits, options, named):
    model = MLPClassifier((8, 4), max_iter=2, **options).fit(*digits)
    with pytest.raises(ExportError, match=named):
        to_sklearn(model)


def test_other_estimators_are_refused(digits):
    with pytest.raises(WrongTypeError, match="from_sklearn: expected an MLPClassifier or "):
        from_sklearn(LogisticRegression())
    with pytest.raises(WrongTypeError, match="to_sklearn: expected an MLPClassifier or "):
        to_sklearn(SoftmaxClassifier())
