"""A fit that fails leaves the estimator as it was; one interrupted, with the best parameters."""

import copy
import pickle
import signal
import threading
from unittest import mock

import numpy as np
import pytest

from chainrule.errors import NumericalError
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    SoftmaxClassifier,
    fitting,
)
from chainrule.training import Objective

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = (MLPClassifier, MLPRegressor, OneVsAllClassifier, SoftmaxClassifier)


class Fails:
    """A callback that raises after some epochs."""

    def __init__(self, error, after=3):
        self.error = error
        self.after = after
        self.count = 0

    def __call__(self, progress):
        self.count += 1
        if self.count == self.after:
            raise self.error

    def score(self, model, X, y):
        self(None)
        return model.score(X, y)


def kept(model):
    """Everything an estimator holds, copied."""
    return {name: copy.deepcopy(value) for name, value in vars(model).items()}


def assert_unchanged(model, before):
    assert vars(model).keys() == before.keys()
    for name in ("coefs_", "intercepts_", "coef_", "intercept_"):
        if name in before:
            for one, two in zip(getattr(model, name), before[name], strict=True):
                np.testing.assert_array_equal(one, two)
    for name in ("n_iter_", "loss_", "t_", "classes_", "n_features_in_", "loss_curve_"):
        if name in before:
            np.testing.assert_array_equal(getattr(model, name), before[name])


@pytest.mark.parametrize("solver", ["adam", "cg"])
@pytest.mark.parametrize("kind", ALL)
def test_an_error_on_the_way_changes_nothing(digits, kind, solver):
    X, y = digits
    fresh = kind(solver=solver, callbacks=[Fails(RuntimeError("disk full"))])
    with pytest.raises(RuntimeError, match="disk full"):
        fresh.fit(X, y)
    assert vars(fresh).keys() == vars(kind()).keys()

    model = kind(solver=solver, max_iter=5, warm_start=True, random_state=0).fit(X, y)
    before = kept(model)
    predicted = model.predict(X)
    model.callbacks = [Fails(RuntimeError("disk full"))]
    with pytest.raises(RuntimeError, match="disk full"):
        model.fit(X, y)
    model.callbacks = None
    assert_unchanged(model, before)
    np.testing.assert_array_equal(model.predict(X), predicted)


@pytest.mark.parametrize("kind", ALL)
def test_bad_rows_change_nothing(digits, kind):
    X, y = digits
    model = kind(max_iter=5, random_state=0).fit(X, y)
    before = kept(model)
    for table, target in ((X[:, :7] * np.nan, y), (X[:5], y), (X[:3, :3], [1, 1, None])):
        with pytest.raises((ValueError, TypeError)):
            model.fit(table, target)
        assert_unchanged(model, before)


def test_partial_fit_that_fails_changes_nothing(digits):
    X, y = digits
    model = MLPClassifier(random_state=0).partial_fit(X, y, classes=range(10))
    twin = MLPClassifier(random_state=0).partial_fit(X, y, classes=range(10))
    model.callbacks = [Fails(RuntimeError("disk full"), after=1)]
    with pytest.raises(RuntimeError, match="disk full"):
        model.partial_fit(X, y)
    model.callbacks = None
    for one in (model, twin):
        one.partial_fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], twin.coefs_[0])
    assert model.t_ == twin.t_ == 2 * len(X)


@pytest.mark.parametrize("solver", ["adam", "cg", "lbfgs"])
@pytest.mark.parametrize("kind", ALL)
def test_ctrl_c_keeps_the_best_so_far(digits, kind, solver):
    X, y = digits
    model = kind(solver=solver, callbacks=[Fails(KeyboardInterrupt())], random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.training_status_ == "interrupted"
    assert np.max(model.n_iter_) >= 3
    start = kind(random_state=0).as_objective(X, y)
    now = model.as_objective(X, y)
    assert now[0](*now[1:])[0] < start[0](*start[1:])[0]


def test_ctrl_c_with_l1(digits):
    X, y = digits
    model = SoftmaxClassifier(l1_ratio=0.5, callbacks=[Fails(KeyboardInterrupt())])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.training_status_ == "interrupted"
    assert model.score(X, y) > 0.3


@pytest.mark.parametrize("solver", ["sgd", "lbfgs", "cg"])
def test_numbers_that_go_wrong_are_explained(values, solver):
    X, y = values
    model = MLPRegressor(solver=solver, random_state=0)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights") as caught:
        model.fit(1e200 * X, y)
    assert isinstance(caught.value, NumericalError)
    assert "input that is not scaled" in str(caught.value)
    assert caught.value.step == 0
    assert vars(model).keys() == vars(MLPRegressor()).keys()


def test_divergence_names_the_learning_rate(values):
    X, y = values
    with pytest.raises(NumericalError, match="learning rate 1e\\+03 is too high"):
        MLPRegressor(solver="sgd", learning_rate_init=1e3, random_state=0).fit(X, y)


def test_divergence_with_early_stopping_keeps_the_best_epoch(values):
    X, y = values
    model = MLPRegressor(
        hidden_layer_sizes=(100,),
        activation="identity",
        solver="sgd",
        learning_rate_init=0.6,
        early_stopping=True,
        random_state=0,
    )
    with pytest.warns(UserWarning, match="Training diverged; the parameters of the best epoch"):
        model.fit(X, y)
    assert model.training_status_ == "diverged"
    assert np.isnan(model.validation_scores_[-1])
    assert all(np.isfinite(W).all() for W in model.coefs_)


def test_ctrl_c_ends_all_classes(digits):
    X, y = digits
    model = OneVsAllClassifier(callbacks=[Fails(KeyboardInterrupt(), after=60)])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    done = model.n_iter_ > 0
    assert 0 < done.sum() < 10
    assert np.all(model.coef_[~done] == 0)
    assert np.all(np.any(model.coef_[done] != 0, axis=1))


FULL_BATCH = ("lbfgs", "cg", "newton-cg", "bfgs", "tnc", "gd")
MINI_BATCH = ("sgd", "adam", "adamw", "rmsprop", "nesterov")


class InterruptedObjective:
    """Ctrl-C in the middle of an evaluation: the ``after``-th of the objective raises."""

    def __init__(self, after):
        self.after = after
        self.count = 0
        self.real = Objective.evaluate

    def __call__(self, objective, *arguments, **options):
        self.count += 1
        if self.count == self.after:
            raise KeyboardInterrupt
        return self.real(objective, *arguments, **options)


def assert_whole(model, X):
    """All parts of the state belong to one another."""
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert all(np.isfinite(W).all() for W in model.parameters_.values())
    assert len(model.loss_curve_) == len(model.history_)


@pytest.mark.parametrize("after", [1, 2, 3, 5, 9, 14])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_ctrl_c_within_an_evaluation(digits, solver, after):
    X, y = digits
    start = MLPClassifier((6,), random_state=0)
    J, theta, *data = start.as_objective(X, y)
    interrupted = InterruptedObjective(after)
    model = MLPClassifier((6,), solver=solver, random_state=0, max_iter=40)
    with (
        mock.patch.object(Objective, "evaluate", lambda *a, **k: interrupted(*a, **k)),
        pytest.warns(UserWarning, match="Training interrupted by user"),
    ):
        model.fit(X, y)
    assert interrupted.count >= after  # it did come to that
    assert model.training_status_ == "interrupted"
    assert_whole(model, X)
    # the best so far: never worse than the start
    assert J(J.pack(model.parameters_), *data)[0] <= J(theta, *data)[0]


@pytest.mark.parametrize("after", [1, 4, 9])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_ctrl_c_within_a_fit_that_goes_on(digits, solver, after):
    X, y = digits
    model = MLPClassifier((6,), solver=solver, random_state=0, max_iter=10, warm_start=True)
    model.fit(X, y)
    J, before, *data = model.as_objective(X, y)
    interrupted = InterruptedObjective(after)
    with (
        mock.patch.object(Objective, "evaluate", lambda *a, **k: interrupted(*a, **k)),
        pytest.warns(UserWarning, match="Training interrupted by user"),
    ):
        model.fit(X, y)
    assert_whole(model, X)
    assert J(J.pack(model.parameters_), *data)[0] <= J(before, *data)[0]


@pytest.mark.parametrize("when", ["at once", "in the middle", "validation"])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_ctrl_c_between_mini_batches(digits, solver, when):
    X, y = digits
    model = MLPClassifier((6,), solver=solver, random_state=0, max_iter=400, tol=0, batch_size=20)
    if when == "validation":
        model.set_params(early_stopping=True, scoring=Fails(KeyboardInterrupt(), after=3).score)
    else:
        # the signal itself, while compiled code runs
        timer = threading.Timer(0.001 if when == "at once" else 0.03, signal.raise_signal, [2])
        model.set_params(callbacks=[lambda progress: timer.start() if progress.epoch == 1 else 0])
        model.set_params(n_iter_no_change=np.inf, max_iter=100000)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.training_status_ == "interrupted"
    assert model.n_iter_ >= 1
    assert_whole(model.set_params(callbacks=None, scoring=None), X)


@pytest.mark.parametrize("stage", ["check_rows_and_target", "make_network", "split_rows"])
def test_ctrl_c_before_training_changes_nothing(digits, stage):
    X, y = digits
    model = MLPClassifier((6,), early_stopping=True, max_iter=2, random_state=0).fit(X, y)
    before = kept(model)
    model.hidden_layer_sizes = (7,)
    with (
        mock.patch.object(fitting, stage, side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        model.fit(X, y)
    assert_unchanged(model, before)


def test_ctrl_c_after_training_changes_nothing(digits):
    X, y = digits
    model = MLPClassifier((6,), max_iter=2, random_state=0).fit(X, y)
    before = kept(model)
    with (
        mock.patch.object(fitting, "joined_history", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        model.set_params(alpha=3.0).fit(X, y)
    assert_unchanged(model, before)
