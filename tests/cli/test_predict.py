"""Predictions beside the table, the same as those of the model in memory."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli.keeping import unscaled
from chainrule.cli.sources import Scaling


def rows_of(text):
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def test_keeps_the_rows_and_adds_predictions_and_probabilities(shell, table, model):
    done = shell("predict", model, table, "-o", "out.csv")
    assert done.exit_code == 0
    assert done.stdout == ""
    before, rows = rows_of(table.read_text(encoding="utf-8"))
    header, after = rows_of((shell.folder / "out.csv").read_text(encoding="utf-8"))
    assert header == [*before, "prediction", "p(ash)", "p(beech)", "p(cedar)"]
    assert [row[:3] for row in after] == rows
    probabilities = np.array([row[4:] for row in after], dtype=float)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=3e-6)
    best = np.array(["ash", "beech", "cedar"])[probabilities.argmax(axis=1)]
    assert [row[3] for row in after] == best.tolist()


def test_says_how_many_are_right(shell, table, model):
    done = shell("predict", model, table, "-o", "out.csv")
    _, rows = rows_of((shell.folder / "out.csv").read_text(encoding="utf-8"))
    right = sum(row[2] == row[3] for row in rows)
    assert done.stderr == f"{right} of 90 rows right ({right / 90:.1%}) in 'kind'\n"
    assert right > 75


def test_labels_that_look_like_numbers_in_a_part_of_the_table_are_known(shell, write_table):
    rng = np.random.default_rng(0)
    rows = [[*rng.normal(size=2), label] for label in ["1", "2", "x"] * 10]
    write_table("all.csv", ["a", "b", "kind"], rows)
    write_table("part.csv", ["a", "b", "kind"], [row for row in rows if row[2] != "x"])
    assert shell("train", "all.csv", "--target", "kind", "--save", "m.safetensors").exit_code == 0
    done = shell("predict", "m.safetensors", "part.csv", "-o", "out.csv")
    assert done.exit_code == 0, done.output
    assert "of 20 rows right" in done.stderr


def test_writes_to_standard_output_without_o(shell, table, model):
    shell("predict", model, table, "-o", "out.csv")
    done = shell("predict", model, table)
    assert done.stdout == (shell.folder / "out.csv").read_text(encoding="utf-8")


def test_needs_no_target_and_finds_columns_by_name(shell, table, model, flowers, write_table):
    X, _ = flowers(12, seed=1)
    new = [["x", leaf, height] for height, leaf in X.tolist()]
    write_table(shell.folder / "new.csv", ["note", "leaf", "height"], new)
    done = shell("predict", model, "new.csv")
    assert done.exit_code == 0
    assert done.stderr == ""
    header, rows = rows_of(done.stdout)
    assert header[:4] == ["note", "leaf", "height", "prediction"]
    assert [row[3] for row in rows] == cr.load(model).predict(X).tolist()


def test_quoted_cells_blank_lines_and_byte_order_marks_survive(shell, model):
    text = '\ufeffheight,leaf,"a, note"\r\n5000,0,"two\nlines"\r\n\r\n8000,0,x\r\n'
    (shell.folder / "new.csv").write_bytes(text.encode())
    header, rows = rows_of(shell("predict", model, "new.csv").stdout)
    assert header[:3] == ["height", "leaf", "a, note"]
    assert [row[2] for row in rows] == ["two\nlines", "x"]


def test_a_model_of_the_library_predicts_too(shell, table, flowers, write_table):
    X, y = flowers()
    cr.save(cr.SoftmaxClassifier().fit(X / [1000, 0.01], y), "plain.safetensors")
    scaled = [[*x, label] for x, label in zip((X / [1000, 0.01]).tolist(), y, strict=True)]
    write_table("scaled.csv", ["a", "b", "kind"], scaled)
    done = shell("predict", "plain.safetensors", "scaled.csv", "--target", "kind", "-o", "out.csv")
    assert done.exit_code == 0, done.stderr
    assert "in 'kind'" in done.stderr
    wrong = shell("predict", "plain.safetensors", "scaled.csv", "-o", "out.csv")
    assert wrong.exit_code == 1
    assert "--target" in wrong.stderr


@pytest.mark.parametrize("name", ["one-vs-all", "softmax", "mlp"])
def test_the_scaling_goes_into_the_first_layer(name, flowers):
    X, y = flowers()
    scaling = Scaling(X.mean(axis=0), 1 / X.std(axis=0))
    options = {"random_state": 0, "solver": "lbfgs"}
    model = {
        "one-vs-all": cr.OneVsAllClassifier(**options),
        "softmax": cr.SoftmaxClassifier(**options),
        "mlp": cr.MLPClassifier((4, 3), "tanh", alpha=3.0, max_iter=1000, **options),
    }[name].fit(scaling(X), y)
    plain = unscaled(model, scaling)
    np.testing.assert_allclose(
        plain.predict_proba(X), model.predict_proba(scaling(X)), rtol=1e-9, atol=1e-12
    )
    # and the model itself is as it was
    assert np.array_equal(model.predict(scaling(X)), plain.predict(X))


def test_quantities(shell, write_table):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = 3 * X[:, 0] - X[:, 1] + 0.5
    write_table("plane.csv", ["a", "b", "z"], np.column_stack([X, y]).tolist())
    done = shell("train", "plane.csv", "--target", "z", "--save", "plane.safetensors")
    assert done.exit_code == 0, done.output
    assert "R²" in done.stdout
    done = shell("predict", "plane.safetensors", "plane.csv")
    header, rows = rows_of(done.stdout)
    assert header == ["a", "b", "z", "prediction"]
    predicted = np.array([row[3] for row in rows], dtype=float)
    error = np.sqrt(np.mean((predicted - y) ** 2))
    assert error < 0.3
    assert f"root mean square error {error:.4g}" in done.stderr
