"""``as_objective``: what fit minimises, for the gradient check and for SciPy."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from sklearn.utils import check_random_state

import chainrule as cr
from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("fitted", [False, True])
def test_gradients_are_right(digits, kind, fitted):
    X, y = digits
    model = kind(max_iter=2, random_state=0)
    if "hidden_layer_sizes" in model.get_params():
        model.set_params(hidden_layer_sizes=(7, 5), activation="tanh")
    if fitted:
        model.fit(X, y)
    labels = y if kind is MLPRegressor else np.array(list("abcdefghij"))[y]
    model = model if not fitted else model.fit(X, labels)
    report = cr.check_gradient(model, X[:40], labels[:40])
    assert report.ok, report


@pytest.mark.parametrize(
    "options",
    [
        {"activation": ["elu", "gelu"], "label_smoothing": 0.1},
        {"activation": "mish", "dropout": 0.5},
        {"layers": [cr.Dense(6, "silu"), cr.LayerNorm()]},
        {"alpha": 3.0, "activation": "softplus"},
    ],
    ids=str,
)
def test_gradients_of_other_networks_are_right(digits, options):
    X, y = digits
    model = MLPClassifier(hidden_layer_sizes=(6, 4), random_state=0).set_params(**options)
    assert cr.check_gradient(model, X[:30], y[:30]).ok


@pytest.mark.parametrize(
    "loss", ["squared_error", "poisson", "huber", "absolute_error", "quantile"]
)
def test_gradients_of_losses_are_right(values, loss):
    X, y = values
    model = MLPRegressor(loss, (6,), activation="tanh", random_state=0)
    assert cr.check_gradient(model, X[:30], np.abs(y[:30])).ok


@pytest.mark.parametrize("kind", ALL)
def test_the_estimator_is_left_as_it_is(digits, kind):
    X, y = digits
    model = kind(random_state=0)
    before = dict(vars(model))
    model.as_objective(X, y)
    assert vars(model) == before


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_alpha_is_divided_by_the_rows(digits, solver):
    X, y = digits
    model = MLPClassifier((9,), alpha=30.0, solver=solver, batch_size=300, max_iter=1)
    J, theta, *data = model.set_params(random_state=0).as_objective(X, y)
    plain = model.set_params(alpha=0.0).as_objective(X, y)[0]
    weights = sum((W**2).sum() for name, W in J.unpack(theta).items() if name[0] == "W")
    assert J(theta, *data)[0] - plain(theta, *data)[0] == pytest.approx(30 / 2 * weights / 300)
    if solver == "adam":  # the loss of the only batch is that at the start
        assert model.set_params(alpha=30.0).fit(X, y).loss_ == pytest.approx(J(theta, *data)[0])


def test_it_begins_where_fit_begins_and_ends_where_it_ended(digits):
    X, y = digits
    model = MLPClassifier((9,), random_state=3, activation="logistic", solver="lbfgs", max_iter=5)
    _, theta, *_ = model.as_objective(X, y)
    rng = check_random_state(3)
    limit = np.sqrt(2 / 73)
    np.testing.assert_array_equal(theta[: 64 * 9], rng.uniform(-limit, limit, (64, 9)).ravel())
    np.testing.assert_array_equal(theta[64 * 9 : 65 * 9], rng.uniform(-limit, limit, 9))
    model.fit(X, y)
    J, theta, *data = model.as_objective(X, y)
    np.testing.assert_array_equal(J.unpack(theta)["W1"], model.coefs_[0])
    assert J(theta, *data)[0] == pytest.approx(model.loss_)


@pytest.mark.parametrize("kind", [OneVsAllClassifier, SoftmaxClassifier])
def test_it_is_what_scipy_minimises(digits, kind):
    X, y = digits
    model = kind(alpha=0.01, tol=1e-7).fit(X, y)
    J, theta0, *data = kind(alpha=0.01).as_objective(X, y)
    found = scipy.optimize.minimize(J, theta0, args=tuple(data), method="L-BFGS-B", jac=True)
    assert model.loss_ <= found.fun * (1 + 1e-6)
    J, theta, *data = model.as_objective(X, y)
    assert np.abs(J(theta, *data)[1]).max() < 1e-6


def test_frames_lists_and_sparse_rows(digits):
    pandas = pytest.importorskip("pandas")
    X, y = digits
    expected = SoftmaxClassifier().as_objective(X, y)
    for rows in (pandas.DataFrame(X), X.tolist(), scipy.sparse.csc_matrix(X)):
        J, theta, *data = SoftmaxClassifier().as_objective(rows, list(y))
        loss, gradient = J(theta, *data)
        assert loss == pytest.approx(expected[0](*expected[1:])[0])
        np.testing.assert_allclose(gradient, expected[0](*expected[1:])[1], atol=1e-12)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_theta_is_float64(digits, precision):
    X, y = digits
    model = MLPClassifier(max_iter=2).fit(X.astype(precision), y)
    assert model.as_objective(X.astype(precision), y)[1].dtype == np.float64


def test_the_graph_is_there_to_look_at(digits):
    model = MLPClassifier((9,), max_iter=2).fit(*digits)
    table = repr(model.network_)
    for name in ("x", "W1", "b1", "h1", "W2", "b2", "scores", "output"):
        assert name in table
    assert "digraph" in model.network_.to_dot()
    trace = cr.Trace(model.network_, {**model.parameters_, "x": digits[0]})
    np.testing.assert_allclose(trace.forward(), model.predict_proba(digits[0]), rtol=1e-10)
