"""Dask arrays and data frames on two workers: the same results, encodings of all partitions."""

from __future__ import annotations

import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

import chainrule as cr
from chainrule.cluster.dask_pieces import DaskPieces
from chainrule.cluster.sources import blocks_of
from chainrule.errors import DataError, WrongTypeError
from chainrule.estimators.in_pieces import Prepare, travelling
from chainrule.estimators.pieces import Cut

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def arrays(digits, client):
    sizes = (5, 400, 1, 700, 691)
    return da.from_array(digits.X, (sizes, 64)), da.from_array(digits.y, (sizes,))


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_solvers_over_all_rows_end_where_they_do_on_one_machine(arrays, digits, solver):
    make = {"hidden_layer_sizes": (8,), "solver": solver, "max_iter": 20, "random_state": 0}
    alone = cr.MLPClassifier(**make, tol=0).fit(digits.X, digits.y)
    found = cr.MLPClassifier(**make, tol=0).fit(*arrays)
    assert found.n_iter_ == alone.n_iter_
    apart = np.linalg.norm(found._theta - alone._theta)
    assert apart <= 1e-9 * np.linalg.norm(alone._theta)


def test_an_evaluation_equals_that_of_one_machine_and_has_the_bits_of_the_stream(client, digits):
    weight = np.random.default_rng(0).uniform(0.5, 2, len(digits.y))
    model = cr.MLPClassifier((8,), random_state=0, alpha=1e-2)
    objective, theta, X, y = model.as_objective(digits.X, digits.y)
    alone = objective(theta, X, y, weight)
    twin = travelling(model)
    twin._learn_target(digits.y, first=True, incremental=False, classes=None)
    twin.n_features_in_ = 64
    found = []
    for rows in (100, 250, 1797):
        loads = blocks_of(digits.X, digits.y, weight, rows)
        there = DaskPieces.of(client, loads, lambda rows: None).rows(
            Prepare(twin, Cut()), objective
        )
        loss, gradient = objective.evaluate(theta, there)
        assert abs(loss - alone[0]) <= 1e-12 * abs(alone[0])
        assert np.linalg.norm(gradient - alone[1]) <= 1e-12 * np.linalg.norm(alone[1])
        found.append((there, gradient))
    there, gradient = found[0]
    every = client.run(lambda dask_worker: dask_worker.address)
    client.replicate(there.parts[3:9], n=2)  # another worker may take them
    there._groups, there._looked = [], -9e9
    assert objective.evaluate(theta, there)[1].tobytes() == gradient.tobytes()
    one = next(iter(every))
    there._groups = [(one, list(range(there.partitions)))]  # all on one
    assert objective.evaluate(theta, there)[1].tobytes() == gradient.tobytes()


def test_prediction_is_lazy_and_the_same(arrays, digits):
    model = cr.MLPClassifier((8,), max_iter=5, random_state=0).fit(digits.X, digits.y)
    lazy = cr.cluster.predict(model, arrays[0])
    assert isinstance(lazy, da.Array)
    assert lazy.chunks[0] == arrays[0].chunks[0]
    np.testing.assert_array_equal(lazy.compute(), model.predict(digits.X))
    p = cr.cluster.predict_proba(model, arrays[0])
    assert p.shape == (1797, 10)
    np.testing.assert_allclose(p.compute(), model.predict_proba(digits.X), rtol=1e-12)
    assert cr.cluster.score(model, *arrays) == model.score(digits.X, digits.y)
    with pytest.raises(WrongTypeError, match=r"Call model\.predict"):
        cr.cluster.predict(model, digits.X)


def test_mini_batches_are_synchronous_steps_over_all_partitions(arrays, digits):
    make = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0, "batch_size": 400}
    found = cr.MLPClassifier(**make, learning_rate_init=0.01).fit(*arrays)
    again = cr.MLPClassifier(**make, learning_rate_init=0.01).fit(*arrays)
    assert found._theta.tobytes() == again._theta.tobytes()
    assert found.t_ == 2 * 1797
    assert found.loss_curve_[1] < found.loss_curve_[0]


def test_a_frame_of_unknown_divisions_with_a_partition_without_rows(client, table):
    frames = dd.from_pandas(table, npartitions=4).clear_divisions()
    frames = frames.map_partitions(lambda part: part if part.index[0] else part[:0])
    seen = frames.compute()
    assert 0 < len(seen) < len(table)
    model = cr.RealMLPClassifier(n_epochs=2, hidden_layer_sizes=(16,), random_state=0)
    found = cr.cluster.fit(model, frames, "label")
    assert sorted(spec.name for spec in found.encoder_.columns_) == ["count", "size", "town"]
    town = found.encoder_.columns_[[s.name for s in found.encoder_.columns_].index("town")]
    assert town.encoding.levels == ("Bonn", "Köln", "Ulm")
    X = frames.drop(columns="label")
    predicted = cr.cluster.predict(found, X).compute()
    np.testing.assert_array_equal(predicted, found.predict(seen.drop(columns="label")))
    assert cr.cluster.score(found, X, frames["label"]) == np.mean(predicted == seen["label"])


def test_series_of_the_same_frame_are_targets_and_weights(client, digits):
    frame = pd.DataFrame(digits.X, columns=[f"p{i}" for i in range(64)])
    frame = frame.assign(digit=digits.y, w=np.linspace(0.5, 2, 1797))
    frames = dd.from_pandas(frame, npartitions=3)
    make = {"alpha": 1e-2, "solver": "newton-cg", "max_iter": 2}
    X = frames.drop(columns=["digit", "w"])
    found = cr.SoftmaxClassifier(**make).fit(X, frames["digit"], sample_weight=frames["w"])
    named = cr.cluster.fit(cr.SoftmaxClassifier(**make), frames, "digit", sample_weight="w")
    alone = cr.SoftmaxClassifier(**make).fit(frame.iloc[:, :64], digits.y, frame["w"])
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-7)
    assert named.coef_.tobytes() == found.coef_.tobytes()
    in_memory = cr.SoftmaxClassifier(**make).fit(X, digits.y, sample_weight=frame["w"].to_numpy())
    assert in_memory.coef_.tobytes() == found.coef_.tobytes()


def test_bad_partitions_are_named(client, digits):
    X = digits.X.copy()
    X[1500, 7] = np.inf
    bad = da.from_array(X, (600, 64))
    with pytest.raises(DataError, match=r"partition 2: .*infinity.*row 300, column 7"):
        cr.SoftmaxClassifier().fit(bad, da.from_array(digits.y, 600))


def test_what_is_refused(arrays, digits, client):
    X, y = arrays
    with pytest.raises(DataError, match="target: expected targets"):
        cr.cluster.fit(cr.SoftmaxClassifier(), X)
    with pytest.raises(DataError, match="y: expected 1797 rows as X has; came 5"):
        cr.SoftmaxClassifier().fit(X, y[:5])
    with pytest.raises(DataError, match="only one class"):
        cr.SoftmaxClassifier().fit(X, y * 0)
    unknown = X[da.sum(X, axis=1) > 0]
    with pytest.raises(DataError, match="unknown sizes"):
        cr.SoftmaxClassifier().fit(unknown, digits.y)
    with pytest.raises(WrongTypeError, match="a column's name"):
        cr.SoftmaxClassifier().fit(X, "digit")


def test_without_a_client_the_partitions_are_read_here(digits, monkeypatch):
    monkeypatch.setattr("chainrule.cluster.fitting._open_client", lambda: None)
    X, y = da.from_array(digits.X, (600, 64)), da.from_array(digits.y, 600)
    found = cr.SoftmaxClassifier(max_iter=5).fit(X, y)
    blocks = [digits.X[:600], digits.X[600:1200], digits.X[1200:]]
    targets = [digits.y[:600], digits.y[600:1200], digits.y[1200:]]
    streamed = cr.cluster.fit(cr.SoftmaxClassifier(max_iter=5), blocks, targets)
    assert found.coef_.tobytes() == streamed.coef_.tobytes()


def test_a_search_over_hyper_parameters_runs_on_the_workers(client, digits):
    search = GridSearchCV(
        cr.SoftmaxClassifier(max_iter=20), {"alpha": [1e-3, 1e-1]}, cv=2, error_score="raise"
    )
    X, y = digits.X[:400], digits.y[:400]
    alone = search.fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_backend("dask", client=client):
        found = search.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, alone)
