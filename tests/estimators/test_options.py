"""What goes beyond scikit-learn: each option does what it says."""

import functools

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, make_scorer

import chainrule as cr
from chainrule.errors import OptionError
from chainrule.estimators import MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier
from chainrule.networks import ACTIVATIONS
from chainrule.training import Adam, Callback, Cosine, RateFinder

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def operations(model):
    return [node.op.name for node in model.network_ if node.kind == "operation"]


def row_losses(model, X, y):
    p = model.predict_proba(X)
    return -np.log(p[np.arange(len(y)), np.searchsorted(model.classes_, y)])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(digits, activation):
    X, y = digits
    model = MLPClassifier((12,), activation=activation, solver="lbfgs", random_state=0).fit(X, y)
    assert model.score(X, y) > 0.97
    assert activation == "identity" or activation in operations(model)


def test_activation_of_each_layer(digits):
    X, y = digits
    model = MLPClassifier((9, 8, 7), activation=["tanh", cr.leaky_relu, "mish"], max_iter=2)
    model.fit(X, y)
    chosen = [name for name in operations(model) if name not in ("matmul", "add")]
    assert chosen == ["tanh", "leaky_relu", "mish", "softmax"]
    with pytest.raises(OptionError, match="one for each of the 3 hidden layers; came 2"):
        model.set_params(activation=["relu", "tanh"]).fit(X, y)


def test_dropout(digits):
    X, y = digits
    options = {"hidden_layer_sizes": (30, 20), "max_iter": 15, "random_state": 0}
    plain = MLPClassifier(**options).fit(X, y)
    dropped = MLPClassifier(dropout=0.5, **options).fit(X, y)
    again = MLPClassifier(dropout=[0.5, 0.5], **options).fit(X, y)
    assert operations(dropped).count("dropout") == 2
    assert dropped.loss_ > plain.loss_  # harder in training, nothing dropped in prediction:
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))
    for one, two in zip(dropped.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(one, two)
    first_only = MLPClassifier(dropout=[0.5, 0], **options).fit(X, y)
    assert operations(first_only).count("dropout") == 1
    with pytest.raises(OptionError, match="dropout needs a mini-batch solver.*'cg'"):
        MLPClassifier(dropout=0.1, solver="cg").fit(X, y)


@pytest.mark.parametrize("solver", ["adam", "cg"])
def test_class_weight_equals_sample_weight(digits, solver):
    X, y = digits
    weights = {0: 3.0, 7: 0.5}
    options = {"solver": solver, "max_iter": 10, "random_state": 0}
    by_class = MLPClassifier(class_weight=weights, **options).fit(X, y)
    by_row = MLPClassifier(**options).fit(X, y, [weights.get(label, 1.0) for label in y])
    for one, two in zip(by_class.coefs_, by_row.coefs_, strict=True):
        np.testing.assert_array_equal(one, two)


def test_balanced_class_weight_counts_weights(digits):
    X, y = digits
    sample_weight = np.random.default_rng(0).uniform(0, 2, len(y))
    totals = np.bincount(y, sample_weight)
    expected = sample_weight * (sample_weight.sum() / (10 * totals))[y]
    one = SoftmaxClassifier(class_weight="balanced", max_iter=20).fit(X, y, sample_weight)
    two = SoftmaxClassifier(max_iter=20).fit(X, y, expected)
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-6, atol=1e-9)
    with pytest.raises(OptionError, match="needs all rows at once"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=range(10))


@pytest.mark.parametrize("data", ["digits", "two_digits"])
def test_label_smoothing(data, request):
    X, y = request.getfixturevalue(data)
    model = MLPClassifier((8,), solver="lbfgs", alpha=0, label_smoothing=0.2, random_state=0)
    model.fit(X, y)
    p = model.predict_proba(X)
    classes = p.shape[1]
    smooth = 0.8 * np.eye(classes)[y] + 0.2 / classes
    assert model.loss_ == pytest.approx(-(smooth * np.log(p)).sum(axis=1).mean(), rel=1e-6)
    sure = model.set_params(label_smoothing=0.0).fit(X, y).predict_proba(X)
    assert p.max(axis=1).mean() < 0.8 + 0.2 / classes + 0.05 < sure.max(axis=1).mean()


@pytest.mark.parametrize("solver", ["cg", "newton-cg", "bfgs", "tnc", "gd"])
def test_full_batch_solvers(two_digits, solver):
    X, y = two_digits
    model = MLPClassifier(
        (4,), solver=solver, random_state=0, max_iter=40, learning_rate_init=0.5
    ).fit(X, y)
    assert model.score(X, y) > 0.98
    assert model.loss_ < model.loss_curve_[0]
    assert len(model.loss_curve_) == model.n_iter_ == len(model.history_)


@pytest.mark.parametrize("solver", ["adamw", "rmsprop", "nesterov", Adam(0.01)])
def test_mini_batch_solvers(digits, solver):
    X, y = digits
    model = MLPClassifier((20,), solver=solver, learning_rate_init=0.01, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.97
    assert hasattr(model, "partial_fit")


def test_nesterov_is_sgd_with_it(digits):
    X, y = digits
    one = MLPClassifier(solver="nesterov", random_state=0, max_iter=3).fit(X, y)
    two = MLPClassifier(solver="sgd", random_state=0, max_iter=3).fit(X, y)
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])


def test_weight_decay_of_adamw_shrinks_weights_only(digits):
    X, y = digits
    options = {"solver": "adamw", "alpha": 0, "random_state": 0, "max_iter": 20}
    free = MLPClassifier(weight_decay=0.0, **options).fit(X, y)
    held = MLPClassifier(weight_decay=10.0, **options).fit(X, y)
    assert np.square(held.coefs_[0]).sum() < 0.6 * np.square(free.coefs_[0]).sum()
    adam = MLPClassifier(**options | {"solver": "adam"}).fit(X, y)
    np.testing.assert_array_equal(free.coefs_[0], adam.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_schedules(digits, solver):
    X, y = digits
    options = {"solver": solver, "learning_rate_init": 0.01, "max_iter": 12, "random_state": 0}
    rates = {
        name: MLPClassifier((8,), learning_rate=name, **options).fit(X, y).history_["learning_rate"]
        for name in ("cosine", "one-cycle", "step", "plateau", Cosine(end=0.5))
    }
    assert rates["cosine"][-1] < 0.1 * rates["cosine"][0]
    assert max(rates["one-cycle"]) == pytest.approx(0.01, rel=0.1)
    assert rates["one-cycle"][0] < 0.003
    assert rates["step"] == [0.01] * 12
    assert 0.005 < rates[Cosine(end=0.5)][-1] < 0.006


def test_gradients_are_clipped(digits):
    X, y = digits
    options = {"solver": "sgd", "momentum": 0, "learning_rate_init": 1.0, "batch_size": 300}
    start = MLPClassifier(max_iter=1, random_state=0, **options)
    J, theta, *_ = start.as_objective(X, y)
    model = MLPClassifier(max_iter=1, random_state=0, grad_clip_norm=1e-3, **options).fit(X, y)
    moved = J.pack(model.parameters_) - theta
    assert np.linalg.norm(moved) == pytest.approx(1e-3)
    assert model.history_["gradient_norm"][0] > 0.1


def test_validation_data_is_watched(digits):
    X, y = digits
    model = MLPClassifier((8,), max_iter=10, random_state=0)
    model.fit(X[:200], y[:200], validation_data=(X[200:], y[200:]))
    alone = MLPClassifier((8,), max_iter=10, random_state=0).fit(X[:200], y[:200])
    np.testing.assert_array_equal(model.coefs_[0], alone.coefs_[0])
    assert model.history_["validation_score"][-1] == model.score(X[200:], y[200:])
    expected = row_losses(model, X[200:], y[200:]).mean()
    assert model.history_["validation_loss"][-1] == pytest.approx(expected)
    by_option = MLPClassifier(
        (8,), max_iter=10, random_state=0, validation_data=(X[200:], y[200:])
    ).fit(X[:200], y[:200])
    scores = by_option.history_["validation_score"]
    assert scores == model.history_["validation_score"]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_early_stopping_on_given_rows_keeps_the_best(values, solver):
    X, y = values
    noisy = y + np.random.default_rng(0).normal(size=len(y))
    model = MLPRegressor(
        hidden_layer_sizes=(50,),
        solver=solver,
        early_stopping=True,
        learning_rate_init=0.02,
        max_iter=500,
        n_iter_no_change=5,
        random_state=0,
    )
    model.fit(X[:100], noisy[:100], validation_data=(X[100:], noisy[100:]))
    scores = model.history_["validation_score"]
    assert len(scores) < 500
    assert model.score(X[100:], noisy[100:]) == pytest.approx(max(scores))
    assert max(scores) > scores[-1]


@pytest.mark.parametrize(
    "scoring",
    [
        "neg_log_loss",
        "f1_macro",
        make_scorer(balanced_accuracy_score),
        lambda model, X, y: -log_loss(y, model.predict_proba(X), labels=model.classes_),
    ],
    ids=["name", "other name", "scorer", "function"],
)
def test_early_stopping_on_any_score(digits, scoring):
    X, y = digits
    labels = np.array([f"digit {label}" for label in y])
    model = MLPClassifier(
        (8,), early_stopping=True, scoring=scoring, max_iter=40, random_state=0, tol=1e-3
    ).fit(X, labels)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert len(model.validation_scores_) == model.n_iter_
    if scoring == "neg_log_loss":
        assert max(model.validation_scores_) < 0


def test_scorers_of_frames_do_not_ask_for_names(digits):
    pandas = pytest.importorskip("pandas")
    X, y = digits
    frame = pandas.DataFrame(X, columns=[f"pixel {i}" for i in range(64)])
    model = MLPClassifier((8,), early_stopping=True, scoring="f1_macro", max_iter=3)
    model.fit(frame, y)
    assert list(model.feature_names_in_) == list(frame.columns)


def test_callbacks(digits):
    X, y = digits
    seen = []

    class Counter(Callback):
        def on_epoch_end(self, progress):
            seen.append((progress.epoch, progress.history[-1]["loss"]))

    model = MLPClassifier(max_iter=6, callbacks=[Counter()]).fit(X, y)
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert [loss for _, loss in seen] == model.loss_curve_
    for solver in ("adam", "cg"):
        model = MLPClassifier(solver=solver, callbacks=[lambda progress: progress.epoch == 3])
        model.fit(X, y)
        assert model.n_iter_ == 3
        assert model.training_status_ == "callback"


def test_history_is_a_table(digits):
    X, y = digits
    history = MLPClassifier(max_iter=4, early_stopping=True).fit(X, y).history_
    assert history["epoch"] == [1, 2, 3, 4]
    assert set(history.columns) == {
        "epoch",
        "loss",
        "validation_loss",
        "validation_score",
        "gradient_norm",
        "learning_rate",
        "seconds",
    }
    assert all(np.isfinite(history[name]).all() for name in history.columns)
    assert np.all(np.diff(history["seconds"]) > 0)


def test_history_goes_on_over_fits(digits):
    X, y = digits
    model = MLPClassifier()
    for _ in range(3):
        model.partial_fit(X, y, classes=range(10))
    assert model.history_["epoch"] == [1, 2, 3]
    assert model.history_["loss"] == model.loss_curve_
    model = MLPClassifier(warm_start=True, max_iter=2).fit(X, y).fit(X, y)
    assert model.history_["epoch"] == [1, 2, 3, 4]


def test_dtype(digits):
    X, y = digits
    single = MLPClassifier(max_iter=3, dtype="float32", random_state=0).fit(X, y)
    assert {W.dtype for W in single.coefs_} == {np.dtype(np.float32)}
    assert single.predict_proba(X).dtype == np.float32
    double = MLPClassifier(max_iter=3, dtype="float64", random_state=0).fit(X.astype("f4"), y)
    assert {W.dtype for W in double.coefs_} == {np.dtype(np.float64)}
    np.testing.assert_allclose(single.coefs_[0], double.coefs_[0], atol=1e-4)


def test_bytes_are_read_as_they_are(digits):
    X, y = digits
    raw = (16 * X).astype(np.uint8)
    one = MLPClassifier(max_iter=3, random_state=0).fit(raw, y)
    two = MLPClassifier(max_iter=3, random_state=0).fit(raw.astype(float), y)
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])
    np.testing.assert_array_equal(one.predict_proba(raw), two.predict_proba(raw.astype(float)))


@pytest.mark.parametrize("solver", ["adam", "cg"])
def test_number_of_threads_changes_no_bit(digits, solver):
    X, y = digits
    one, two = (
        MLPClassifier(solver=solver, max_iter=4, random_state=0, n_threads=count).fit(X, y)
        for count in (1, 2)
    )
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])


def test_layers_of_ones_own(digits):
    X, y = digits
    layers = [cr.Dense(24, "relu"), cr.LayerNorm(), cr.Dropout(0.1), cr.Dense(12, "tanh")]
    model = MLPClassifier(layers=layers, learning_rate_init=0.01, random_state=0, max_iter=60)
    model.fit(X, y)
    assert model.score(X, y) > 0.97
    assert [W.shape for W in model.coefs_] == [(64, 24), (24, 12), (12, 10)]
    assert {"W1", "b1", "gain1", "shift1", "W2", "b2", "W3", "b3"} == set(model.parameters_)
    assert operations(model).count("layer_norm") == 1


def test_a_function_as_network(digits):
    X, y = digits

    def residual(x):
        h = cr.Dense(16, "relu")(x, 1)
        return h + cr.Dense(16, "tanh")(h, 2)

    model = MLPClassifier(layers=residual, solver="lbfgs", random_state=0).fit(X, y)
    assert model.score(X, y) > 0.97
    assert set(model.parameters_) == {"W1", "b1", "W2", "b2", "W3", "b3"}
    assert cr.check_gradient(model, X[:20], y[:20], max_entries=200).ok


REFERENCE_LOSSES = {
    "squared_error": lambda e: e**2 / 2,
    "absolute_error": np.abs,
    "huber": lambda e: np.where(np.abs(e) < 0.3, e**2 / 2, 0.3 * (np.abs(e) - 0.15)),
    "quantile": lambda e: np.maximum(0.8 * e, -0.2 * e),
}


@pytest.mark.parametrize("loss", REFERENCE_LOSSES)
def test_losses_of_values(values, loss):
    X, y = values
    model = MLPRegressor(
        loss, (8,), alpha=0, quantile=0.8, huber_delta=0.3, solver="lbfgs", random_state=0
    ).fit(X, y)
    errors = y - model.predict(X)
    assert model.loss_ == pytest.approx(REFERENCE_LOSSES[loss](errors).mean())
    if loss == "quantile":
        assert 0.7 < np.mean(errors < 0) < 0.9


def test_loss_of_ones_own(values):
    X, y = values
    ours = MLPRegressor(functools.partial(cr.huber, delta=0.3), (8,), random_state=0, max_iter=5)
    named = MLPRegressor("huber", (8,), huber_delta=0.3, random_state=0, max_iter=5)
    np.testing.assert_array_equal(ours.fit(X, y).coefs_[0], named.fit(X, y).coefs_[0])


def test_loss_of_ones_own_written_out(values):
    X, y = values
    options = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 5}
    ours = MLPRegressor(lambda scores, target: cr.square(scores - target) / 2, **options)
    named = MLPRegressor(**options).fit(X, y)
    np.testing.assert_allclose(ours.fit(X, y).coefs_[0], named.coefs_[0], rtol=1e-12)
    assert ours.loss_ == pytest.approx(named.loss_, rel=1e-12)
    # several outputs: the sum over them is the function's
    y = np.stack([y, -y], axis=1)
    ours = MLPRegressor(lambda s, t: cr.sum(cr.square(s - t), axis=1) / 2, **options)
    np.testing.assert_allclose(
        ours.fit(X, y).coefs_[0], MLPRegressor(**options).fit(X, y).coefs_[0], rtol=1e-12
    )


def test_loss_of_ones_own_for_two_classes(two_digits):
    X, y = two_digits

    def brier(scores, target):
        return cr.square(cr.sigmoid(scores) - target)

    model = MLPClassifier((5,), loss=brier, solver="lbfgs", alpha=0, random_state=0).fit(X, y)
    p = model.predict_proba(X)[:, 1]
    assert model.loss_ == pytest.approx(np.square(p - y).mean(), abs=1e-12)
    assert model.score(X, y) == 1
    # and early stopping, which looks at the loss of rows held back
    model.set_params(solver="adam", early_stopping=True, max_iter=3).fit(X, y)
    assert np.isfinite(model.history_["validation_loss"]).all()


def test_loss_of_ones_own_for_classes(digits):
    X, y = digits

    def focal(scores, target):
        loss = cr.softmax_cross_entropy(scores, target)
        return loss * (1 - cr.exp(-loss)) ** 2

    model = MLPClassifier((20,), loss=focal, solver="lbfgs", alpha=0, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.95
    losses = row_losses(model, X, y)
    assert model.loss_ == pytest.approx((losses * (1 - np.exp(-losses)) ** 2).mean())


def test_learning_rate_finder(digits):
    X, y = digits
    model = MLPClassifier((20,), random_state=0)
    found = model.find_learning_rate(X, y, batches=60)
    assert isinstance(found, RateFinder)
    assert 1e-4 < found.suggestion < 1
    assert len(found.rates) == len(found.losses) <= 60
    assert vars(model) == vars(MLPClassifier((20,), random_state=0))


def test_partial_fit_of_a_table_of_labels(digits):
    X, y = digits
    table = np.stack([y < 5, y % 2 == 0], axis=1).astype(int)
    model = MLPClassifier((30,), learning_rate_init=0.01, random_state=0)
    for _ in range(80):
        model.partial_fit(X, table)
    assert model.score(X, table) > 0.9
    assert model.predict(X[:3]).shape == (3, 2)


@pytest.mark.parametrize("bar", [True, False, None])
def test_progress_bar(digits, capfd, bar):
    X, y = digits
    SoftmaxClassifier(solver="cg", progress_bar=bar).fit(X, y)
    printed = capfd.readouterr()
    assert bool(printed.out + printed.err) is bool(bar)


def test_linear_classifiers_take_the_options_of_training(digits):
    X, y = digits
    model = OneVsAllClassifier(
        solver="adamw",
        learning_rate="cosine",
        learning_rate_init=0.02,
        early_stopping=True,
        label_smoothing=0.05,
        grad_clip_norm=1.0,
        class_weight="balanced",
        dtype="float32",
        random_state=0,
    ).fit(X, y)
    assert model.coef_.dtype == np.float32
    assert model.score(X, y) > 0.9
