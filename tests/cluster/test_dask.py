"""Dask arrays and data frames on two workers: the same results, encodings of all partitions."""

from __future__ import annotations

import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
from dask.delayed import delayed
from sklearn.model_selection import GridSearchCV

import chainrule as cr
from chainrule.cluster.dask_pieces import DaskPieces
from chainrule.cluster.sources import blocks_of
from chainrule.errors import DataError, WrongTypeError
from chainrule.estimators.in_pieces import Prepare, travelling
from chainrule.estimators.pieces import Cut
from chainrule.training.partitions import AllRows

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
    there.placement.forget()
    assert objective.evaluate(theta, there)[1].tobytes() == gradient.tobytes()
    one = next(iter(every))
    there.placement._groups = [(one, list(range(there.partitions)))]  # all on one
    assert objective.evaluate(theta, there)[1].tobytes() == gradient.tobytes()


@pytest.fixture
def resident(client, digits):
    """Rows of eight partitions on the workers, the objective over them, and θ."""
    objective, theta, X, y = cr.MLPClassifier((8,), random_state=0).as_objective(digits.X, digits.y)
    pieces = DaskPieces.of(client, blocks_of(X, y, None, 225), lambda rows: None)
    return pieces.rows(as_it_is, objective), objective, theta


def as_it_is(piece):
    return piece.X, piece.y, None


def test_when_all_lies_in_its_place_an_evaluation_is_one_message(resident, monkeypatch):
    there, objective, theta = resident
    by_tasks = objective.evaluate(theta, there)
    monkeypatch.setattr(there, "_by_tasks", None)
    in_one_message = objective.evaluate(theta, there)
    assert in_one_message[0] == by_tasks[0]
    assert in_one_message[1].tobytes() == by_tasks[1].tobytes()


def test_a_worker_that_lacks_something_is_asked_again_by_tasks(resident):
    there, objective, theta = resident
    wanted = objective.evaluate(theta, there)
    (first, some), (second, others) = there.placement.groups()[0]
    there.placement._groups = wrong = [(first, others), (second, some)]
    assert there._in_one_message(objective, AllRows(theta), wrong) is None
    found = objective.evaluate(theta, there)
    assert found[1].tobytes() == wanted[1].tobytes()


@pytest.mark.parametrize(("limit", "value"), [("FAN_IN", 2), ("LARGE", 1)])
def test_many_workers_and_large_parameters_go_by_a_tree_of_tasks(
    resident, monkeypatch, limit, value
):
    there, objective, theta = resident
    wanted = objective.evaluate(theta, there)
    workers = [worker for worker, _ in there.placement.groups()[0]]
    there.placement._groups = [(workers[i % 2], [2 * i, 2 * i + 1]) for i in range(4)]
    monkeypatch.setattr(f"chainrule.cluster.resident.{limit}", value)
    monkeypatch.setattr(there, "_in_one_message", None)
    found = objective.evaluate(theta, there)
    assert found[0] == wanted[0]
    assert found[1].tobytes() == wanted[1].tobytes()


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


def test_bad_rows_of_files_are_named_with_file_and_row_group(client, digits, tmp_path):
    frame = pd.DataFrame(digits.X, columns=[f"p{i}" for i in range(64)]).assign(digit=digits.y)
    frame.to_parquet(tmp_path / "a.parquet")
    frame = pd.concat([frame, frame], ignore_index=True)
    frame.loc[1250, "p3"] = np.nan
    frame.to_parquet(tmp_path / "b.parquet", row_group_size=1100)
    where = r"b\.parquet, row group 1: .*NaN.*row 150, column 3 \('p3'\)"
    with pytest.raises(DataError, match=where):
        cr.cluster.fit(cr.SoftmaxClassifier(), tmp_path, "digit", client=client, memory="1MiB")


def test_partitions_of_one_class_each_and_of_none_are_learned_from(client, digits):
    rows = np.argsort(digits.y, kind="stable")
    X, y = digits.X[rows], digits.y[rows]
    sizes = (*np.bincount(y).tolist(), 0)
    make = {"alpha": 1e-2, "solver": "newton-cg", "tol": 1e-12, "class_weight": "balanced"}
    alone = cr.SoftmaxClassifier(**make).fit(X, y)
    found = cr.SoftmaxClassifier(**make).fit(
        da.from_array(X, (sizes, 64)), da.from_array(y, (sizes,))
    )
    np.testing.assert_array_equal(found.classes_, range(10))
    np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-6)


def test_partitions_of_different_categories_are_encoded_alike(client):
    rng = np.random.default_rng(0)
    frames = []
    for towns in (["Ulm", "Bonn"], ["Köln", "Jena"], ["Bonn", "Jena"]):
        town = pd.Categorical(rng.choice(towns, 100))
        frames.append(pd.DataFrame({"town": town, "x": rng.normal(size=100)}))
    parts = [frame.assign(y=frame["town"].isin(["Ulm", "Jena"])) for frame in frames]
    # each a partition with categories of its own
    lazy = dd.from_delayed([delayed(part) for part in parts], meta=parts[0], verify_meta=False)
    found = cr.cluster.fit(
        cr.RealMLPClassifier(n_epochs=8, batch_size=50, random_state=0), lazy, "y"
    )
    assert found.encoder_.columns_[0].encoding.levels == ("Bonn", "Jena", "Köln", "Ulm")
    assert cr.cluster.score(found, lazy.drop(columns="y"), lazy["y"]) > 0.9


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
