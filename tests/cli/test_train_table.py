"""``chainrule train FILE.csv``: a table as it is, told in numbers; its model predicts new files."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import engine

EPOCHS = ("--max-iter", "12")


@pytest.fixture
def people(shell):
    """Numbers with holes, words, an identifier, two classes that depend on them."""
    rng = np.random.default_rng(0)
    age, job = rng.integers(18, 80, 400), rng.choice(["nurse", "cook", "clerk"], 400)
    rich = (age + 20 * (job == "nurse") + rng.normal(0, 3, 400)) > 60
    lines = ["id;age;job;income"]
    for i in range(400):
        cell = "" if i % 11 == 0 else f"{age[i]},5"
        lines.append(f"p{i:03};{cell};{job[i]};{'high' if rich[i] else 'low'}")
    path = shell.folder / "people.csv"
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    return path


def rows_of(path, separator=","):
    text = io.StringIO(path.read_text(encoding="utf-8"))
    return list(csv.reader(text, delimiter=separator))


def test_it_tells_what_it_found_and_how_good_it_is(shell, people):
    done = shell("train", people, "--target", "income", *EPOCHS)
    assert done.exit_code == 0, done.output
    said = done.stdout
    assert "people: 400 rows, 3 columns" in said
    assert re.search(r"income: 2 classes, (high|low) \(\d\d\.\d%\)", said)
    assert "300 rows to learn from, 100 to test" in said
    assert re.search(r"id +identifier", said)
    assert re.search(r"age +numeric", said)
    assert re.search(r"job +categorical", said)
    shares = {
        name: float(re.search(name + r" +([\d.]+)% +[\d.]+ +[\d.]+ s", said).group(1))
        for name in ("RealMLP", "logistic regression", "always the most frequent")
    }
    assert shares["RealMLP"] > shares["always the most frequent"] + 10
    wrong = int(re.search(r"RealMLP is wrong in (\d+) of 100 rows", said).group(1))
    assert 100 - wrong == pytest.approx(shares["RealMLP"])
    kept = cr.load(shell.folder / "people.safetensors")
    held = f"{kept.best_validation_score_:.1%} right"
    assert f"Kept: epoch {kept.best_epoch_} of 12, the best on 20% of the rows" in said
    assert held in " ".join(said.split())
    assert shell.files() == {"people.csv", "people.safetensors"}
    assert max(map(len, said.splitlines())) <= 120


def test_predictions_keep_rows_identifiers_and_form(shell, people):
    shell("train", people, "--target", "income", *EPOCHS, "--save", "m.safetensors")
    done = shell("predict", "m.safetensors", people, "-o", "out.csv")
    assert done.exit_code == 0, done.output
    before, after = rows_of(people, ";"), rows_of(shell.folder / "out.csv", ";")
    assert after[0] == ["id", "age", "job", "income", "prediction", "p(high)", "p(low)"]
    assert [row[:4] for row in after[1:]] == before[1:]
    model = cr.load("m.safetensors")
    table = cr.read_table(people).without("income")
    assert [row[4] for row in after[1:]] == model.predict(table).tolist()
    shares = np.array([[cell.replace(",", ".") for cell in row[5:]] for row in after[1:]], float)
    np.testing.assert_allclose(shares, model.predict_proba(table), atol=1e-6)
    right = sum(row[3] == row[4] for row in after[1:])
    assert done.stderr == f"{right} of 400 rows right ({right / 400:.1%}) in 'income'\n"


def test_chunks_make_no_difference(shell, people, monkeypatch):
    shell("train", people, "--target", "income", *EPOCHS, "--save", "m.safetensors")
    whole = shell("predict", "m.safetensors", people).stdout
    monkeypatch.setattr("chainrule.cli.predict_table.CHUNK_ROWS", 7)
    chunked = shell("predict", "m.safetensors", people).stdout
    if engine.available():
        assert chunked == whole
    else:  # BLAS rounds by the number of rows
        apart = [[line.split(",") for line in text.splitlines()] for text in (chunked, whole)]
        (head, *some), (same, *all_) = apart
        assert head == same
        assert [row[:5] for row in some] == [row[:5] for row in all_]
        numbers = [np.array([row[5:] for row in rows], float) for rows in (some, all_)]
        np.testing.assert_allclose(*numbers, rtol=1e-5, atol=1e-7)


def test_new_rows_without_the_target_and_with_columns_of_their_own(shell, people):
    shell("train", people, "--target", "income", *EPOCHS, "--save", "m.safetensors")
    (shell.folder / "new.csv").write_text("note,job,age,id\nx,pilot,,q\n", encoding="utf-8")
    done = shell("predict", "m.safetensors", "new.csv", "-o", "out.csv")
    assert done.exit_code == 0, done.output
    assert "not known to the model, kept as they are: 'note'" in done.stderr
    assert rows_of(shell.folder / "out.csv")[1][:4] == ["x", "pilot", "", "q"]
    (shell.folder / "lost.csv").write_text("job,id\ncook,q\n", encoding="utf-8")
    lost = shell("predict", "m.safetensors", "lost.csv", "-o", "none.csv")
    assert lost.exit_code == 1
    assert "no 'age'" in lost.stderr
    assert not (shell.folder / "none.csv").exists()


def test_values_where_the_target_holds_values(shell, write_table):
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, 200)
    rows = [
        [f"{one:.3f}", "ab"[i % 2], f"{100 * one + 10 * (i % 2):.2f}"] for i, one in enumerate(x)
    ]
    write_table("t.csv", ["x", "kind", "y"], rows)
    done = shell("train", "t.csv", "--target", "y", "--max-iter", "64", "--preset", "td-s")
    assert done.exit_code == 0, done.output
    assert "y: values from" in done.stdout
    assert "ridge regression" in done.stdout
    assert "always the mean" in done.stdout
    assert "RealMLP is typically off by" in done.stdout
    done = shell("predict", "t.safetensors", "t.csv", "-o", "out.csv")
    assert re.match(r"200 rows, root mean square error [\d.e+]+ in 'y'\n", done.stderr)
    header, *after = rows_of(shell.folder / "out.csv")
    assert header == ["x", "kind", "y", "prediction"]
    told = np.array([float(row[3]) for row in after])
    expected = cr.load("t.safetensors").predict(cr.read_table("t.csv").without("y"))
    np.testing.assert_allclose(told, expected, rtol=1e-8)


def test_the_task_and_types_can_be_said(shell, write_table):
    rows = [[i % 4, f"some words that are new in row {i}", i % 6] for i in range(120)]
    write_table("t.csv", ["a", "text", "y"], rows)
    done = shell("train", "t.csv", "--target", "y", *EPOCHS, "--type", "a=categorical")
    assert done.exit_code == 0, done.output
    assert "y: 6 classes" in done.stdout
    assert "left out as free text: 'text'" in done.stderr
    assert re.search(r"a +categorical \(declared\)", done.stdout)
    done = shell("train", "t.csv", "--target", "y", *EPOCHS, "--task", "regression")
    assert "y: values from 0 to 5" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "z"], "expected a column 'z'"),
        (["--target", "job", "--task", "regression"], "--task regression: column 'job'"),
        (["--target", "income", "--type", "age"], "--type: expected a column and its type"),
        (["--target", "income", "--type", "age=round"], "types['age']"),
        (["--target", "income", "--save", "no/where"], "--save no/where"),
        (["--target", "income", "--task", "regression", "--model", "mlp"], "--task: expected it"),
    ],
)
def test_mistakes_are_one_line(shell, people, arguments, words):
    done = shell("train", people, *arguments)
    assert done.exit_code == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert shell.files() == {"people.csv"}


def test_rows_without_a_target_are_left_out_and_counted(shell, people):
    text = people.read_text(encoding="utf-8-sig").replace("p001;", "p001;").splitlines()
    text[1:4] = [line.rsplit(";", 1)[0] + ";" for line in text[1:4]]
    people.write_text("\n".join(text), encoding="utf-8")
    done = shell("train", people, "--target", "income", *EPOCHS)
    assert done.exit_code == 0, done.output
    assert "3 rows without 'income' are left out" in done.stderr
    assert "people: 397 rows" in done.stdout
