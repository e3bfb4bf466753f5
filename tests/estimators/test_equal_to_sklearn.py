"""The same call learns the same thing as scikit-learn's perceptrons, number for number."""

import inspect

import numpy as np
import pytest
import scipy.sparse
import sklearn.neural_network as theirs
from sklearn.base import clone

from chainrule.estimators import MLPClassifier, MLPRegressor
from chainrule.networks import Dense

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAIRS = [(MLPClassifier, theirs.MLPClassifier), (MLPRegressor, theirs.MLPRegressor)]


def assert_same_fit(ours, other, rtol=1e-6):
    """Weights, losses and counters agree."""
    for one, two in zip(
        [*ours.coefs_, *ours.intercepts_], [*other.coefs_, *other.intercepts_], strict=True
    ):
        assert one.dtype == two.dtype
        np.testing.assert_allclose(one, two, rtol=rtol, atol=rtol)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(other, name), name
    for name in ("loss_", "best_loss_", "best_validation_score_"):
        one, two = getattr(ours, name), getattr(other, name)
        assert (one is None) == (two is None), name
        if one is not None:
            np.testing.assert_allclose(one, two, rtol=rtol, err_msg=name)
    np.testing.assert_allclose(ours.loss_curve_, other.loss_curve_, rtol=rtol)
    if other.validation_scores_ is None:
        assert ours.validation_scores_ is None
    else:
        np.testing.assert_allclose(ours.validation_scores_, other.validation_scores_, rtol=rtol)


def fitted_pair(kind, X, y, **options):
    ours, other = (PAIRS[kind][i](random_state=3, **options) for i in (0, 1))
    return ours.fit(X, y), other.fit(X, y)


@pytest.mark.parametrize("pair", PAIRS, ids=["classifier", "regressor"])
def test_parameters_are_scikit_learns_in_its_order_with_its_defaults(pair):
    mine, other = (list(inspect.signature(one).parameters.values()) for one in pair)
    assert len(other) >= 23
    for one, two in zip(mine, other, strict=False):
        assert (one.name, one.default, one.kind) == (two.name, two.default, two.kind)
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in mine[len(other) :])


@pytest.mark.parametrize(
    "options",
    [
        {"solver": "adam"},
        {"solver": "adam", "shuffle": False, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6},
        {"solver": "sgd", "shuffle": False, "learning_rate_init": 0.1},
        {"solver": "sgd", "momentum": 0.0, "batch_size": 32, "learning_rate_init": 0.1},
        {"solver": "sgd", "nesterovs_momentum": False, "batch_size": 40},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.3},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1e-2, "n_iter_no_change": 2},
        {"solver": "adam", "early_stopping": True, "n_iter_no_change": 3, "tol": 1e-2},
        {"solver": "adam", "activation": "logistic", "alpha": 1.0},
        {"solver": "adam", "activation": "identity", "hidden_layer_sizes": ()},
        {"solver": "adam", "activation": "logistic", "hidden_layer_sizes": 7},
        {"solver": "adam", "activation": "tanh", "tol": 0.05, "n_iter_no_change": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("data", ["digits", "two_digits"])
def test_classifier(options, data, request):
    X, y = request.getfixturevalue(data)
    options = {"hidden_layer_sizes": (12, 8), "max_iter": 25} | options
    ours, other = fitted_pair(0, X, y, **options)
    assert_same_fit(ours, other)
    np.testing.assert_array_equal(ours.predict(X), other.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_regressor(values, loss, solver, outputs):
    X, y = values
    y = np.exp(y) if loss == "poisson" else y
    y = y if outputs == 1 else np.stack([y, 2 * y, np.abs(X[:, 3])], axis=1)
    options = {"hidden_layer_sizes": (9,), "max_iter": 30, "batch_size": 50, "loss": loss}
    ours, other = fitted_pair(1, X, y, solver=solver, learning_rate_init=0.01, **options)
    assert_same_fit(ours, other)
    np.testing.assert_allclose(ours.predict(X), other.predict(X), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_lbfgs(digits, values, precision):
    X, y = digits
    ours, other = fitted_pair(0, X.astype(precision), y, solver="lbfgs", max_iter=15)
    assert ours.n_iter_ == other.n_iter_
    np.testing.assert_allclose(
        ours.loss_, other.loss_, rtol=1e-3 if precision == np.float32 else 1e-8
    )
    X, y = values
    ours, other = fitted_pair(1, X, y, solver="lbfgs", max_iter=15)
    np.testing.assert_allclose(ours.loss_, other.loss_, rtol=1e-8)


def test_lbfgs_with_several_outputs_minimises_what_it_follows(values):
    # scikit-learn's search is led by the gradient of the sum and the value of the mean
    X, y = values
    y = np.stack([y, -y, y**2], axis=1)
    ours, other = fitted_pair(1, X, y, solver="lbfgs", max_iter=60, hidden_layer_sizes=(9,))
    assert ours.loss_ <= other.loss_ * 1.05
    penalty = ours.alpha / 2 * sum((W**2).sum() for W in ours.coefs_) / len(X)
    assert ours.loss_ == pytest.approx(np.mean((ours.predict(X) - y) ** 2) / 2 + penalty)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_sample_weights(digits, early_stopping):
    X, y = digits
    weight = np.random.default_rng(0).uniform(0.2, 3, len(X))
    models = [
        one(random_state=0, max_iter=12, batch_size=40, early_stopping=early_stopping)
        for one in PAIRS[0]
    ]
    for model in models:
        model.fit(X, y, sample_weight=weight)
    assert_same_fit(*models)


def test_table_of_labels(digits):
    X, y = digits
    table = np.stack([y < 5, y % 2 == 0, y == 7], axis=1).astype(int)
    ours, other = fitted_pair(0, X, table, max_iter=20)
    assert_same_fit(ours, other)
    np.testing.assert_array_equal(ours.predict(X), other.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    sparse, other = fitted_pair(0, X, scipy.sparse.csr_matrix(table), max_iter=20)
    assert scipy.sparse.issparse(sparse.predict(X))
    np.testing.assert_array_equal(sparse.predict(X).toarray(), other.predict(X).toarray())


@pytest.mark.parametrize("form", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_sparse_rows(digits, form):
    X, y = digits
    ours, other = fitted_pair(0, form(X), y, max_iter=10)
    assert_same_fit(ours, other)
    np.testing.assert_array_equal(ours.predict(form(X)), ours.predict(X))


def test_partial_fit_and_warm_start_go_on_as_scikit_learns(digits):
    X, y = digits
    for solver in ("sgd", "adam"):
        models = [one(random_state=5, solver=solver, batch_size=30) for one in PAIRS[0]]
        for model in models:
            for start in (0, 100, 200):
                part = slice(start, start + 100)
                model.partial_fit(X[part], y[part], classes=np.arange(10))
        assert_same_fit(*models)
    models = [one(random_state=5, warm_start=True, max_iter=7) for one in PAIRS[0]]
    for model in models:
        model.fit(X, y).fit(X, y)
    assert_same_fit(*models)
    models = [
        one(random_state=5, warm_start=True, max_iter=4, early_stopping=True) for one in PAIRS[0]
    ]
    for model in models:
        model.fit(X, y).fit(X, y)
    assert_same_fit(*models)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_invscaling_over_fits_that_go_on(digits, method):
    X, y = digits
    options = {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5}
    models = [one(random_state=0, warm_start=True, max_iter=3, **options) for one in PAIRS[0]]
    for model in models:
        model.fit(X, y)
        for _ in range(3):
            getattr(model, method)(X, y)
    assert_same_fit(*models)


def test_losses_of_one_class_and_its_score_on_rows_held_back(digits):
    X, y = digits
    options = {"early_stopping": True, "max_iter": 4, "random_state": 0}
    models = [one(**options).fit(X, np.zeros(len(y), int)) for one in PAIRS[0]]
    assert_same_fit(*models)
    assert models[0].best_validation_score_ == 1


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_losses_of_several_weighted_outputs_are_reported_alike(values, loss, solver):
    X, y = values
    y, weight = np.exp(np.c_[y, -y]), np.random.default_rng(0).uniform(0, 3, len(y))
    models = [
        one(loss, (5,), solver=solver, max_iter=7, batch_size=30, random_state=0, alpha=3.0).fit(
            X, y, weight
        )
        for one in PAIRS[1]
    ]
    if solver == "adam":
        assert_same_fit(*models)
    ours = models[0]
    assert ours.loss_curve_ == ours.history_["loss"]
    if solver == "lbfgs":  # each iteration's, and the last one's
        p = ours.predict(X)
        terms = (y - p) ** 2 / 2 if loss == "squared_error" else y * np.log(y / p) - y + p
        terms = terms.mean(axis=1) if loss == "squared_error" else terms.sum(axis=1)
        penalty = 1.5 * sum((W**2).sum() for W in ours.coefs_) / weight.sum()
        assert ours.loss_ == pytest.approx(np.average(terms, weights=weight) + penalty)
        assert ours.loss_curve_[-1] == pytest.approx(ours.loss_)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize(("before", "after"), [((9,), (4,)), (6, 7), ((5, 4), (3, 8))], ids=str)
def test_sizes_changed_between_fits_that_go_on_are_not_looked_at(
    digits, before, after, solver, method
):
    X, y = digits
    models = [
        one(before, random_state=5, warm_start=True, max_iter=3, solver=solver) for one in PAIRS[0]
    ]
    for model in models:
        model.fit(X, y).set_params(hidden_layer_sizes=after)
        getattr(model, method)(X, y)
        assert model.get_params()["hidden_layer_sizes"] == after
    assert_same_fit(*models)
    np.testing.assert_array_equal(*(model.predict(X) for model in models))
    ours = models[0]
    J, theta, *data = ours.as_objective(X, y)
    assert np.isfinite(J(theta, *data)[0])


@pytest.mark.parametrize(
    ("solver", "before", "after"),
    [
        ("adam", (5,), (5, 4)),
        ("adam", (5, 4), (5,)),
        ("adam", (5,), ()),
        ("lbfgs", (5,), (7,)),
        ("lbfgs", (5,), (5, 4)),
        ("lbfgs", (5,), ()),
    ],
)
def test_where_scikit_learn_fails_on_changed_sizes_the_remedy_is_said(
    digits, solver, before, after
):
    X, y = digits
    ours, other = (
        one(before, warm_start=True, max_iter=3, solver=solver).fit(X, y) for one in PAIRS[0]
    )
    with pytest.raises((ValueError, AttributeError, IndexError)):
        other.set_params(hidden_layer_sizes=after).fit(X, y)
    kept = [W.copy() for W in ours.coefs_]
    with pytest.raises(ValueError, match="has its layers.*Set them back, or fit anew"):
        ours.set_params(hidden_layer_sizes=after).fit(X, y)
    for one, two in zip(kept, ours.coefs_, strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(ours.set_params(warm_start=False).fit(X, y).coefs_) == len(after) + 1


def test_layers_of_ones_own_changed_between_fits(digits):
    X, y = digits
    model = MLPClassifier(layers=[Dense(5, "relu")], warm_start=True, max_iter=2).fit(X, y)
    model.layers = [Dense(5, "relu"), Dense(4, "relu")]
    with pytest.raises(ValueError, match="needs the same layers; .*missing: W3, b3.*Set the opt"):
        model.fit(X, y)


def test_changes_of_solver_between_fits_that_go_on(digits):
    X, y = digits
    ours, other = (one((6,), warm_start=True, max_iter=3, random_state=0) for one in PAIRS[0])
    for model in (ours, other):
        model.fit(X, y).set_params(solver="sgd").fit(X, y)
    assert_same_fit(ours, other)
    for model in (ours, other):
        model.set_params(solver="lbfgs").fit(X, y)
    for name in ("n_iter_", "t_", "best_loss_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-8)
    np.testing.assert_allclose(ours.coefs_[0], other.coefs_[0], rtol=1e-6, atol=1e-8)


def test_poissons_printed_loss_is_the_reported_one(values, capsys):
    X, y = values
    printed = []
    for one in PAIRS[1]:
        one("poisson", (4,), max_iter=3, random_state=0, verbose=True).fit(X, np.exp(y))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


def test_partial_fit_after_fit(values):
    X, y = values
    models = [one(random_state=5, max_iter=5) for one in PAIRS[1]]
    for model in models:
        model.fit(X, y)
        model.partial_fit(X, y)
    assert_same_fit(*models)


def test_float32_is_kept(digits):
    X, y = digits
    ours, other = fitted_pair(0, X.astype(np.float32), y, max_iter=10)
    assert {one.dtype for one in ours.coefs_} == {np.dtype(np.float32)}
    assert ours.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_same_fit(ours, other, rtol=2e-4)


def test_same_random_state_object_is_drawn_from_alike(digits):
    X, y = digits
    ours, other = (
        one(random_state=np.random.RandomState(4), max_iter=5, early_stopping=True).fit(X, y)
        for one in PAIRS[0]
    )
    assert_same_fit(ours, other)


def test_clone_and_equal_parameters_give_equal_bits(digits):
    X, y = digits
    model = MLPClassifier(random_state=0, max_iter=5).fit(X, y)
    again = clone(model).fit(X, y)
    for one, two in zip(model.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_verbose_prints(capsys, digits):
    X, y = digits
    options = {"random_state": 0, "verbose": True, "tol": 0.1, "n_iter_no_change": 2}
    printed = []
    for one in PAIRS[0]:
        one(max_iter=50, **options).fit(X, y)
        printed.append(capsys.readouterr().out.splitlines())
    assert len(printed[0]) > 3
    assert printed[0][:-1] == printed[1][:-1]
    assert "did not improve more than tol=0.1" in printed[0][-1]
