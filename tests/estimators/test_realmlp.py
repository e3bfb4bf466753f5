"""RealMLP estimators: what a fit keeps, what a prediction reads, and what nothing may leak into."""

from __future__ import annotations

import pickle
import subprocess
import sys
from itertools import count

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

import chainrule as cr
from chainrule.errors import DataError, OptionError
from chainrule.estimators import (
    RealMLPClassifier,
    RealMLPRegressor,
    realmlp,
    realmlp_training,
)
from chainrule.estimators.calibration import find_temperature
from chainrule.tables import ColumnEncoder

QUICK = {"n_epochs": 24, "hidden_layer_sizes": (16, 16), "random_state": 0}


def frame(rows=400, seed=0):
    """Numbers with holes, categories few and many, a target that needs them."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size": rng.normal(50, 10, rows),
            "rate": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(0, 2, rows)),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "town": rng.choice([f"town {i}" for i in range(30)], rows),
            "smoker": rng.choice(["yes", "no"], rows),
        }
    )
    score = (table["size"] - 50) / 10 + (table["colour"] == "red") - (table["smoker"] == "yes")
    return table, score + 0.1 * rng.normal(size=rows)


def classes(rows=400, seed=0):
    table, score = frame(rows, seed)
    return table, np.where(score > 0.7, "high", np.where(score > -0.5, "middle", "low"))


@pytest.mark.parametrize("preset", ["td", "td-s"])
def test_classes_of_mixed_columns_are_learnt(preset):
    X, y = classes(1500)
    model = RealMLPClassifier(preset, n_epochs=40, random_state=0).fit(X[:1000], y[:1000])
    assert model.score(X[1000:], y[1000:]) > 0.9
    p = model.predict_proba(X[1000:])
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X[1000:]), model.classes_[p.argmax(axis=1)])
    np.testing.assert_allclose(model.predict_log_proba(X[1000:]), np.log(p))


@pytest.mark.parametrize("preset", ["td", "td-s"])
def test_values_of_mixed_columns_are_learnt(preset):
    X, y = frame(1500)
    model = RealMLPRegressor(preset, n_epochs=64, random_state=0).fit(X[:1000], 1e4 + 50 * y[:1000])
    assert model.score(X[1000:], 1e4 + 50 * y[1000:]) > 0.9


# what a fit keeps --------------------------------------------------------------------------


class TestBestEpoch:
    def fitted(self, kind, X, y, **options):
        thetas = []
        model = kind(**QUICK, callbacks=[lambda p: thetas.append(p.theta.copy())], **options)
        return model.fit(X, y), thetas

    def test_the_last_of_the_best_is_kept(self):
        X, y = classes(200)
        model, thetas = self.fitted(RealMLPClassifier, X, y, calibrate=False)
        scores = np.array(model.validation_scores_)
        best = np.flatnonzero(scores == scores.max())
        assert model.best_epoch_ == best[-1] + 1
        np.testing.assert_array_equal(model._theta, thetas[best[-1]])
        assert model.best_validation_score_ == scores.max()
        assert model.n_iter_ == 24 == len(model.history_)

    def test_without_validation_the_last(self):
        X, y = frame(200)
        model, thetas = self.fitted(RealMLPRegressor, X, y, validation_fraction=0.0)
        np.testing.assert_array_equal(model._theta, thetas[-1])
        assert model.validation_scores_ is None
        assert model.best_epoch_ == 24

    def test_early_stopping_is_an_option(self):
        X, y = classes(200)
        model = RealMLPClassifier(**{**QUICK, "n_epochs": 256}, n_iter_no_change=5).fit(X, y)
        assert model.n_iter_ < 256
        assert model.training_status_ == "converged"
        assert model.n_iter_ - model.best_epoch_ == 6


def test_rows_of_ones_own_to_validate_on():
    X, y = classes(300)
    model = RealMLPClassifier(**QUICK, calibrate=False)
    model.fit(X[:200], y[:200], validation_data=(X[200:], y[200:]))
    assert model.score(X[200:], y[200:]) == pytest.approx(model.best_validation_score_)
    encoder = ColumnEncoder().fit(X[:200])
    assert model.encoder_.to_dict()["columns"] == encoder.to_dict()["columns"]
    with pytest.raises(
        ValueError, match="rows to validate on: X: expected the columns of training"
    ):
        RealMLPClassifier(**QUICK).fit(X, y, validation_data=(X.drop(columns="town"), y))
    with pytest.raises(ValueError, match=r"validation_data must be a pair \(X, y\)"):
        RealMLPClassifier(**QUICK).fit(X, y, validation_data=(X, y, y))


def test_a_scorer_decides():
    X, y = classes(200)
    model = RealMLPClassifier(**QUICK, scoring="neg_log_loss").fit(X, y)
    assert max(model.validation_scores_) < 0
    assert model._smoothing() == 0.0
    assert RealMLPClassifier()._smoothing() == 0.1
    assert RealMLPClassifier(label_smoothing=0.3)._smoothing() == 0.3


def test_a_time_budget_plans_the_epochs(monkeypatch):
    X, y = classes(400)
    clock = count(step=0.02)  # a reading at the start of fit and of training, and one an epoch
    for module in (realmlp, realmlp_training):
        monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    model = RealMLPClassifier(n_epochs=100_000, max_time=1.5, random_state=0).fit(X, y)
    assert model.training_status_ == "max_time"
    assert 70 <= model.n_iter_ <= 75
    # the schedule has come down to its end: the rate of the last epoch is near 0
    assert model.history_["learning_rate"][-1] < 0.1 * 0.04
    assert "stopped by max_time" in model.summary()


def test_threads_and_seeds():
    X, y = classes(600)
    options = {**QUICK, "batch_size": 128, "hidden_layer_sizes": (64, 64)}
    one, two = (RealMLPClassifier(**options, n_threads=k).fit(X, y) for k in (1, 2))
    np.testing.assert_array_equal(one._theta, two._theta)
    other = RealMLPClassifier(**{**options, "random_state": 1}).fit(X, y)
    assert np.abs(one._theta - other._theta).max() > 0.1


def test_small_tables_do_not_depend_on_the_order_of_their_rows():
    X, y = classes(120)
    order = np.random.default_rng(5).permutation(120)
    one = RealMLPClassifier(**QUICK).fit(X, y)
    two = RealMLPClassifier(**QUICK).fit(X.iloc[order], y[order])
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_class_weights_move_the_border():
    X, score = frame(600)
    y = (score + np.random.default_rng(1).normal(size=600) > 2).astype(int)
    plain = RealMLPClassifier(**QUICK).fit(X, y).predict(X).mean()
    balanced = RealMLPClassifier(**QUICK, class_weight="balanced").fit(X, y).predict(X).mean()
    assert balanced > plain + 0.05
    assert RealMLPClassifier(**QUICK, class_weight={1: 50.0}).fit(X, y).predict(X).mean() > balanced


# losses ------------------------------------------------------------------------------------


def noisy(rows=1500):
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, rows)
    return pd.DataFrame({"x": x}), 100 + 10 * x + rng.normal(size=rows)


@pytest.mark.parametrize("q", [0.1, 0.9])
def test_quantiles_have_their_share_below(q):
    X, y = noisy()
    model = RealMLPRegressor(loss="quantile", quantile=q, **{**QUICK, "n_epochs": 64})
    model.fit(X[:1000], y[:1000])
    assert (y[1000:] < model.predict(X[1000:])).mean() == pytest.approx(q, abs=0.06)
    assert max(model.validation_scores_) <= 0


def test_counts():
    rng = np.random.default_rng(4)
    X = pd.DataFrame({"x": rng.uniform(-1, 1, 1500)})
    y = rng.poisson(np.exp(1 + X["x"]))
    expected = np.exp(1 + X["x"][1000:])
    for start in range(4):  # scores that shoot up at the start of some do not end it
        options = {"n_epochs": 64, "hidden_layer_sizes": (64, 64), "random_state": start}
        model = RealMLPRegressor(loss="poisson", **options).fit(X[:1000], y[:1000])
        assert np.mean(np.abs(model.predict(X[1000:]) / expected - 1)) < 0.15
        assert (model.predict(X) >= 0).all()
    with pytest.raises(DataError, match=r"loss='poisson' needs targets ≥ 0, got -1"):
        model.fit(X, y - 1.0)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_outliers_hardly_move_robust_losses(loss):
    X, y = noisy()
    spoilt = y.copy()
    spoilt[::10] += 1000
    options = {**QUICK, "n_epochs": 64, "huber_delta": 0.02}
    robust = RealMLPRegressor(loss=loss, **options).fit(X, spoilt)
    squared = RealMLPRegressor(**options).fit(X, spoilt)
    errors = [np.abs(model.predict(X) - (100 + 10 * X["x"])).mean() for model in (robust, squared)]
    assert errors[0] < 3
    assert errors[1] > 20


def test_predictions_stay_within_the_training_range_or_not():
    x = np.linspace(0, 1, 300)
    options = {**QUICK, "n_epochs": 64, "validation_fraction": 0.0}
    far = {"x": [-5.0, 5.0]}
    td = RealMLPRegressor(**options).fit({"x": x}, x)
    assert (td.predict(far) >= 0).all()
    assert (td.predict(far) <= 1).all()
    free = RealMLPRegressor(**options, clamp=False).fit({"x": x}, x)
    scores = free._network_output(far) * free.target_scale_ + free.target_center_
    np.testing.assert_array_equal(free.predict(far), scores[:, 0])
    np.testing.assert_array_equal(td.predict(far), free.predict(far).clip(0, 1))
    assert not RealMLPRegressor("td-s")._training_preset().clamp


def test_epochs_are_judged_by_what_is_predicted():
    x = np.linspace(0, 1, 200)
    beyond = {"x": np.array([-3.0, -2.0, 0.5, 2.0, 3.0])}, np.array([0.0, 0.0, 0.5, 1.0, 1.0])
    for clamp in (True, False):
        model = RealMLPRegressor(**QUICK, clamp=clamp)
        model.fit({"x": x}, x, validation_data=beyond)
        np.testing.assert_allclose(model.score(*beyond), model.best_validation_score_, atol=1e-5)


def test_several_outputs():
    X, y = frame(500)
    Y = np.column_stack([y, 1e3 - 5 * y])
    model = RealMLPRegressor(**{**QUICK, "n_epochs": 64}).fit(X, Y)
    assert model.predict(X).shape == (500, 2)
    assert model.score(X, Y) > 0.8


# probabilities -----------------------------------------------------------------------------


def test_the_temperature_is_the_best_of_many():
    rng = np.random.default_rng(0)
    scores = 8 * rng.normal(size=(300, 4))
    y = np.array([rng.choice(4, p=np.exp(row)) for row in log_softmax(scores / 5, axis=1)])
    w = rng.uniform(0, 2, 300)

    def cost(t):
        losses = -log_softmax(scores / t, axis=1)[np.arange(300), y]
        return (w * losses).sum() + 0.5 * np.log(t) ** 2

    grid = np.geomspace(0.01, 100, 4001)
    best = grid[np.argmin([cost(t) for t in grid])]
    assert find_temperature(scores, y, w) == pytest.approx(best, rel=0.003)
    assert best == pytest.approx(5, rel=0.25)
    # two rows that are right make nothing certain
    assert 0.2 < find_temperature(np.array([[4.0, 0.0], [0.0, 4.0]]), np.array([0, 1])) < 1
    assert find_temperature(np.full((2, 2), np.inf), np.array([0, 1])) == 1.0


def test_calibration_helps_and_changes_no_class():
    X, score = frame(4000)
    y = (score > 0).astype(int)
    raw, calibrated = (
        RealMLPClassifier(**QUICK, calibrate=wanted).fit(X[:3000], y[:3000])
        for wanted in (False, True)
    )
    np.testing.assert_array_equal(raw.predict(X), calibrated.predict(X))
    assert raw.temperature_ == 1.0
    scores = np.log(raw.predict_proba(X)) / calibrated.temperature_
    np.testing.assert_allclose(
        calibrated.predict_log_proba(X), log_softmax(scores, axis=1), atol=1e-3
    )
    losses = [log_loss(y[3000:], model.predict_proba(X[3000:])) for model in (raw, calibrated)]
    assert losses[1] < losses[0]


# nothing leaks, and columns are known by name ----------------------------------------------


def test_predictions_do_not_depend_on_the_rows_beside_them():
    """A column that tells the class by its rank among the rows of the test alone."""
    X, y = classes(300)
    X["noise"] = np.random.default_rng(1).normal(size=300)
    model = RealMLPClassifier(**QUICK).fit(X, y)
    test, _ = frame(60, seed=9)
    test["noise"] = np.linspace(0, 1e6, 60)
    together = model.predict_proba(test)
    alone = np.concatenate([model.predict_proba(test.iloc[[i]]) for i in range(60)])
    np.testing.assert_array_equal(together, alone)


def test_held_back_rows_teach_the_columns_nothing():
    X, y = classes(1000)
    X["word"] = [f"w{i % 7}" for i in range(1000)]
    model = RealMLPClassifier(**QUICK)
    rng = np.random.RandomState(0)
    train = rng.permutation(1000)[200:]
    X.loc[~X.index.isin(train), "word"] = "only held back"
    X.loc[~X.index.isin(train), "size"] *= 1e6
    model.fit(X, y)
    levels = model.encoder_.to_dict()["columns"]
    assert "only held back" not in str(levels)
    own = ColumnEncoder().fit(X.iloc[train]).to_dict()["columns"]
    assert levels == own


@pytest.mark.parametrize("kind", [RealMLPClassifier, RealMLPRegressor])
def test_columns_are_found_by_name(kind):
    X, y = classes() if kind is RealMLPClassifier else frame()
    model = kind(**QUICK).fit(X, y)
    told = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    np.testing.assert_array_equal(told(X), told(X[X.columns[::-1]]))
    for wrong, message in [
        (X.assign(more=1), "an unknown 'more'"),
        (X.drop(columns="town"), "no 'town'"),
        (
            X.assign(size="big"),
            r"column 'size': expected numbers as in training; came text \('big'",
        ),
        (X[["size"]].to_numpy(), f"X has 1 features, but {kind.__name__} is expecting 5"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.predict(wrong)
    assert list(model.feature_names_in_) == list(X.columns)


# files and tools ---------------------------------------------------------------------------

ELSEWHERE = """
import sys, numpy as np, pandas as pd, chainrule as cr
X = pd.read_pickle(sys.argv[1]); model = cr.load(sys.argv[2])
told = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
np.save(sys.argv[3], told)
"""


@pytest.mark.parametrize("preset", ["td", "td-s"])
@pytest.mark.parametrize("kind", [RealMLPClassifier, RealMLPRegressor])
def test_a_model_file_predicts_the_same_bits_in_a_new_process(tmp_path, kind, preset):
    X, y = classes() if kind is RealMLPClassifier else frame()
    model = kind(preset, **QUICK).fit(X, y)
    X.iloc[0, :] = [np.nan, np.nan, "violet", None, None]
    cr.save(model, tmp_path / "m.safetensors")
    X.to_pickle(tmp_path / "X.pickle")
    files = [str(tmp_path / name) for name in ("X.pickle", "m.safetensors", "out.npy")]
    subprocess.run([sys.executable, "-c", ELSEWHERE, *files], check=True)
    told = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    assert told.tobytes() == np.load(tmp_path / "out.npy").tobytes()
    again = cr.load(tmp_path / "m.safetensors")
    assert again.get_params() == model.get_params()
    assert again.summary() == model.summary()
    assert repr(again.encoder_.summary()) == repr(model.encoder_.summary())


def test_a_file_whose_columns_do_not_fit_its_network_is_refused(tmp_path):
    X, y = classes()
    model = RealMLPClassifier(**QUICK).fit(X, y)
    cr.save(model, tmp_path / "good")
    arrays, header = cr.files.read_model(tmp_path / "good")
    header["encoder"] = ColumnEncoder().fit(X[["size", "town"]]).to_dict()
    cr.files.write_model(tmp_path / "bad", arrays, header)
    with pytest.raises(ValueError, match="a network of the inputs"):
        cr.load(tmp_path / "bad")


def test_pickle_clone_and_search():
    X, y = classes(300)
    model = RealMLPClassifier(**QUICK, types={"town": "ignored"}).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "classes_")
    search = GridSearchCV(RealMLPClassifier(**QUICK), {"preset": ["td", "td-s"]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.5


def test_inspection():
    X, y = frame(600)
    model = RealMLPRegressor(**{**QUICK, "n_epochs": 64}).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    importance = dict(zip(X.columns, found.importances_mean, strict=True))
    assert max(importance, key=importance.__getitem__) == "size"
    assert importance["size"] > 5 * abs(importance["rate"])
    curve = partial_dependence(model, X, ["size"], kind="average", grid_resolution=10)
    assert (np.diff(curve["average"][0]) > 0).all()
    by_colour = partial_dependence(
        model, X, ["colour"], categorical_features=["colour"], kind="average"
    )
    assert by_colour["grid_values"][0][by_colour["average"][0].argmax()] == "red"


@pytest.mark.parametrize("preset", ["td", "td-s"])
@pytest.mark.parametrize("kind", [RealMLPClassifier, RealMLPRegressor])
def test_the_gradient_is_right(kind, preset):
    X, y = classes(40) if kind is RealMLPClassifier else frame(40)
    options = {"hidden_layer_sizes": (5, 4), "dropout": 0.0, "random_state": 0, "n_epochs": 2}
    model = kind(preset, **options)
    assert cr.check_gradient(model, X, y, progress=False).ok
    assert cr.check_gradient(model.fit(X, y), X, y, progress=False).ok


def test_how_it_is_shown():
    X, y = classes(100)
    model = RealMLPClassifier(**QUICK)
    assert "not fitted" in model.summary()
    shown = model.fit(X, y).summary()
    assert "waves" in shown
    assert "dense → parametric selu → dropout" in shown
    assert f"all planned epochs made after 24 epochs, kept: epoch {model.best_epoch_}" in shown
    assert "parametric selu" in model._repr_html_()


# refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "best"}, "The 'preset' parameter of RealMLPClassifier must be a str among"),
        ({"hidden_layer_sizes": (16, 0)}, "hidden_layer_sizes must be integers > 0"),
        ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
        ({"max_time": 0}, "The 'max_time' parameter"),
        ({"label_smoothing": "much"}, "The 'label_smoothing' parameter"),
        ({"types": {"colour": "smell"}}, r"types\['colour'\]"),
        ({"types": {"weight": "numeric"}}, "not 'weight'"),
    ],
)
def test_wrong_options(options, message):
    X, y = classes(50)
    with pytest.raises(OptionError, match=message):
        RealMLPClassifier(**{**QUICK, **options}).fit(X, y)


def test_rows_that_cannot_be_learnt_from():
    X, y = classes(50)
    with pytest.raises(DataError, match="no column to learn from: 'colour' is constant"):
        RealMLPClassifier(**QUICK).fit(X[["colour"]].assign(colour="red"), y)
    with pytest.raises(DataError, match=r"Found array with 1 sample\(s\)"):
        RealMLPClassifier(**QUICK).fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RealMLPClassifier(**QUICK).fit(X, y[:-1])
    with pytest.raises(ValueError, match="y contains NaN"):
        RealMLPRegressor(**QUICK).fit(X, np.full(50, np.nan))


def test_a_failed_fit_changes_nothing():
    X, y = classes(100)
    model = RealMLPClassifier(**QUICK).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="no column to learn from"):
        model.fit(X[["colour"]].assign(colour="red"), y)
    np.testing.assert_array_equal(model.predict_proba(X), before)
