"""Callbacks that remember: what they hold is what happened, and it stays bounded."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import OptionError
from chainrule.training import History, LayerHistograms, ParameterPath, Progress

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
DIGITS = cr.load_digits()
X, Y = DIGITS.X_train[:300] / 16, DIGITS.y_train[:300]


@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_the_path_begins_at_the_start_and_ends_at_the_fit(solver):
    path = ParameterPath()
    model = cr.MLPClassifier((4,), solver=solver, max_iter=7, random_state=0, callbacks=[path])
    unfitted = cr.MLPClassifier((4,), solver=solver, random_state=0)
    start = unfitted.as_objective(X, Y)[1]
    J, end, *data = model.fit(X, Y).as_objective(X, Y)
    assert path.epochs == list(range(8))
    np.testing.assert_array_equal(path.records[0], start)
    np.testing.assert_array_equal(path.records[-1], end)
    if solver == "cg":
        losses = [J(theta, *data)[0] for theta in path.records[1:]]
        np.testing.assert_allclose(losses, model.history_["loss"], rtol=1e-9)


@pytest.mark.parametrize("epochs", [1, 7, 8, 9, 31, 1000])
def test_memory_is_bounded_and_the_run_covered_evenly(epochs):
    path = ParameterPath(limit=8)
    progress = Progress(None, np.zeros(1), 0, epochs, History(), "cg")
    path.on_train_begin(progress)
    for epoch in range(1, epochs + 1):
        progress.epoch, progress.theta = epoch, np.full(1, float(epoch))
        path.on_epoch_end(progress)
        assert len(path.records) <= 8
    path.on_train_end(progress)
    assert path.epochs[0] == 0
    assert path.epochs[-1] == epochs
    assert len(path.records) <= 9
    steps = np.diff(path.epochs[:-1])
    assert len(set(steps.tolist())) <= 1  # all alike, up to the last
    assert [theta[0] for theta in path.records] == path.epochs


def test_a_second_training_starts_afresh():
    path = ParameterPath()
    model = cr.SoftmaxClassifier(solver="cg", max_iter=3, callbacks=[path])
    model.fit(X, Y).fit(X, Y)
    assert path.epochs == [0, 1, 2, 3]


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_histograms_count_the_outputs_of_every_layer(solver):
    seen = LayerHistograms(rows=50, bins=10)
    model = cr.MLPClassifier(
        (6, 5), activation="relu", solver=solver, max_iter=4, random_state=0, callbacks=[seen]
    ).fit(X, Y)
    assert seen.epochs == [0, 1, 2, 3, 4]
    last = seen.records[-1]
    assert list(last) == ["h1", "h2", "scores"]
    h = np.maximum(X[:50] @ model.coefs_[0] + model.intercepts_[0], 0)
    counts, edges = np.histogram(h, bins=10)
    np.testing.assert_array_equal(last["h1"].values, counts)
    np.testing.assert_allclose(last["h1"].value_edges, edges, rtol=1e-9)
    assert last["h1"].zero == pytest.approx(np.mean(h == 0))
    assert last["h2"].values.sum() == 50 * 5
    assert last["scores"].gradients.sum() == 50 * 10


def test_gradients_are_those_of_the_loss():
    """At the scores of a softmax: (p − onehot) / rows."""
    seen = LayerHistograms(rows=40)
    model = cr.SoftmaxClassifier(solver="cg", max_iter=3, callbacks=[seen]).fit(X[:40], Y[:40])
    p = model.predict_proba(X[:40]) - np.eye(10)[Y[:40]]
    edges = seen.records[-1]["scores"].gradient_edges
    assert edges[0] == pytest.approx(p.min() / 40)
    assert edges[-1] == pytest.approx(p.max() / 40)


def test_sparse_rows_are_looked_at_too():
    from scipy.sparse import csr_matrix

    seen = LayerHistograms(rows=20)
    cr.MLPClassifier((3,), solver="adam", max_iter=2, callbacks=[seen]).fit(csr_matrix(X), Y)
    assert seen.records[-1]["h1"].values.sum() == 60


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ParameterPath(limit=1), "limit: expected an integer ≥ 4"),
        (lambda: LayerHistograms(rows=0), "rows: expected an integer ≥ 1"),
        (lambda: LayerHistograms(bins=0), "bins: expected an integer ≥ 1"),
    ],
)
def test_refuses_limits_that_hold_nothing(make, words):
    with pytest.raises(OptionError, match=words):
        make()


def test_training_that_shows_no_rows_is_named():
    progress = Progress(None, np.zeros(1), 0, 1, History(), "own")
    with pytest.raises(OptionError, match="LayerHistograms: expected training that shows its rows"):
        LayerHistograms().on_train_begin(progress)
