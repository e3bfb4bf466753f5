"""Models of tables: the encoder goes into ONNX with them; the others take what it makes."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest

from chainrule import exchange
from chainrule.estimators import RealMLPClassifier, RealMLPRegressor

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx]")


def a_table(rows=120, seed=0):
    """Numbers, text, dates, truth, with values missing; few and many levels."""
    rng = np.random.default_rng(seed)
    many = [f"c{i}" for i in range(30)]
    table = {
        "height": rng.normal(size=rows) * 100,
        "weight": rng.lognormal(size=rows).astype(np.float32),
        "town": rng.choice(np.array(["Ulm", "Bonn", "Köln", None], dtype=object), rows),
        "shop": rng.choice(np.array([*many, None], dtype=object), rows),
        "grade": rng.integers(1, 5, rows),
        "member": rng.integers(2, size=rows).astype(bool),
        "two": rng.choice(np.array(["yes", "no"], dtype=object), rows),
        "when": np.datetime64("2024-01-01", "us")
        + (rng.integers(0, 10**8, rows) * 10**6).astype("timedelta64[us]"),
        "same": np.ones(rows),
    }
    table["height"][::7] = np.nan
    table["when"][::11] = np.datetime64("NaT")
    return table


TYPES = {"grade": "categorical"}


def ask(model, X):
    session = onnxruntime.InferenceSession(exchange.to_onnx(model).SerializeToString())
    given = exchange.column_arrays(model.encoder_, X)
    assert {one.name for one in session.get_inputs()} == set(given)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, given), strict=True))


def new_rows():
    """Rows with values that training never saw."""
    table = a_table(40, seed=1)
    table["town"][:3] = "Rom"
    table["shop"][:3] = "c99"
    table["grade"][:2] = 77
    table["height"][:2] = [1e300, -1e300]
    return table


@pytest.mark.parametrize("preset", ["td", "td-s"])
def test_a_classifier(preset):
    table = a_table()
    y = np.where(table["member"], "in", np.where(table["two"] == "yes", "half", "out"))
    model = RealMLPClassifier(
        preset, n_epochs=4, hidden_layer_sizes=(9, 7), types=TYPES, random_state=0
    ).fit(table, y)
    for X in (table, new_rows()):
        found = ask(model, X)
        np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), atol=1e-5)
        assert found["label"].tolist() == model.predict(X).tolist()


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_regressor(loss, outputs):
    table = a_table()
    height = np.nan_to_num(table["height"])
    y = np.abs(np.stack([height + 1000 * table["member"], table["weight"]], axis=1))
    y = y if outputs == 2 else y[:, 0]
    model = RealMLPRegressor(
        loss=loss, n_epochs=4, hidden_layer_sizes=(9,), types=TYPES, random_state=0
    ).fit(table, y)
    for X in (table, new_rows()):
        found, expected = ask(model, X)["prediction"], model.predict(X)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_without_names_or_limits():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 3))
    model = RealMLPRegressor(n_epochs=3, hidden_layer_sizes=(5,), clamp=False, random_state=0)
    model.fit(X, X[:, 0])
    np.testing.assert_allclose(ask(model, X)["prediction"], model.predict(X), atol=1e-5)
    assert model.prediction_limits is None


def test_pytorch_takes_what_the_encoder_makes():
    torch = pytest.importorskip("torch", reason="the extra [torch]")
    table = a_table()
    model = RealMLPClassifier(n_epochs=3, hidden_layer_sizes=(9,), types=TYPES, random_state=0)
    model.fit(table, table["two"])
    given = [torch.tensor(value) for value in exchange.network_inputs(model, table).values()]
    with torch.no_grad():
        found = exchange.to_torch(model)(*given).numpy()
    np.testing.assert_allclose(found, model.predict_proba(table), atol=1e-5)


def test_one_file_of_numpy_reads_the_table(tmp_path):
    table = a_table()
    y = np.where(table["member"], "in", np.where(table["two"] == "yes", "half", "out"))
    model = RealMLPClassifier(n_epochs=3, hidden_layer_sizes=(9,), types=TYPES, random_state=0)
    model.fit(table, y)
    space = {"__name__": "exported"}
    exec(exchange.to_numpy(model, tmp_path / "model.py"), space)
    for X in (table, new_rows()):
        np.testing.assert_allclose(space["predict_proba"](X), model.predict_proba(X), atol=1e-5)
        assert space["predict"](X).tolist() == model.predict(X).tolist()
    some = {name: column[:30] for name, column in table.items()}
    with open(tmp_path / "rows.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(some)
        for row in zip(*(column.tolist() for column in some.values()), strict=True):
            writer.writerow("" if one is None or one != one else one for one in row)
    program = (
        "import runpy, sys; sys.modules['chainrule'] = None; "
        "sys.argv = ['model.py', 'rows.csv']; runpy.run_path('model.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == model.predict(some).tolist()


def test_one_file_of_numpy_reads_an_array():
    X = np.random.default_rng(2).normal(size=(60, 3))
    model = RealMLPRegressor(n_epochs=3, hidden_layer_sizes=(5,), random_state=0).fit(X, X[:, 0])
    space = {"__name__": "exported"}
    exec(exchange.to_numpy(model), space)
    np.testing.assert_allclose(space["predict"](X), model.predict(X), rtol=1e-5, atol=1e-5)
