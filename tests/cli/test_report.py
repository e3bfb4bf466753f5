"""``chainrule report`` and ``train --report``: a page, from training or from a file."""

from __future__ import annotations

import sys

import pytest

HOSTILE = ["<script>alert(1)</script>", "$\\frac{", 'y"><b>']


@pytest.fixture
def typed(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["chainrule", "train", "my table.csv"])


def read(shell, name):
    return (shell.folder / name).read_text(encoding="utf-8")


def test_a_report_on_what_was_just_trained(shell, table, typed):
    done = shell("train", table, "--target", "kind", "--hidden", "4", "--report", "r.html")
    assert done.exit_code == 0, done.output
    assert "report in r.html" in done.stdout
    assert shell.files() == {"trees.csv", "r.html"}
    text = read(shell, "r.html")
    assert "chainrule train &#39;my table.csv&#39;" in text
    assert "The gradient is right" in text
    for word in ("height", "leaf", "beech", "2-4-3"):
        assert word in text


def test_a_report_on_a_model_in_a_file(shell, table, model, typed):
    done = shell("report", model)
    assert done.exit_code == 0, done.output
    alone = read(shell, "trees.html")
    assert "No rows were given" in alone
    assert "The model was made by" in alone  # the file remembers its command
    done = shell("report", model, "--data", table, "-o", "with.html")
    assert done.exit_code == 0, done.output
    text = read(shell, "with.html")
    assert "90 rows" in text
    assert "confusion matrix" in text


def test_a_report_on_a_table_of_any_columns(shell, write_table, typed):
    rows = [[i * 7 % 13, ["<b>ulm", "bonn"][i % 2], "yes" if i % 3 else "no"] for i in range(60)]
    write_table("t.csv", ["size", "city", "kind"], rows)
    done = shell("train", "t.csv", "--target", "kind", "--max-iter", "3", "--report", "r.html")
    assert done.exit_code == 0, done.output
    assert "report in r.html" in done.stdout
    text = read(shell, "r.html")
    for word in ("45 rows to learn from, 15 held back", "binary", "&lt;b&gt;ulm", "gradient"):
        assert word in text
    compared = text[text.index("Models compared") :]
    for name in ("kind, RealMLP", "logistic regression", "always the most frequent"):
        assert name in compared[: compared.index("</table>")]
    done = shell("report", "t.safetensors", "--data", "t.csv")
    assert done.exit_code == 0, done.output
    assert "60 rows" in read(shell, "t.html")
    assert "The model was made by" in read(shell, "t.html")


def test_of_several_models_the_best_with_the_others_beside_it(shell, typed):
    done = shell(
        "train",
        "digits",
        "--max-iter",
        "5",
        "--pictures",
        "p",
        "--report",
        "r.html",
        "--save",
        "m.safetensors",
    )
    assert done.exit_code == 0, done.output
    text = read(shell, "r.html")
    for name in ("one-vs-all", "softmax", "64-20-10", "64-20-20-10"):
        assert name in text
    assert "Models compared" in text
    assert "image of 8 × 8 pixels, from 0 to 16" in text
    done = shell("report", "m.safetensors", "--data", "digits")
    assert done.exit_code == 0, done.output
    assert "450 rows held back" in read(shell, "m.html")


def test_hostile_tables_stay_text(shell, write_table, typed):
    labels = ["<img src=x onerror=alert(2)>", "$x_"]
    rows = [[i, (i * 7) % 13, labels[i % 2]] for i in range(60)]
    write_table("t.csv", HOSTILE, rows)
    arguments = ["--target", HOSTILE[2], "--hidden", "3", "--save", "t.safetensors"]
    done = shell("train", "t.csv", *arguments, "--report", "r.html")
    assert done.exit_code == 0, done.output
    done = shell("report", "t.safetensors", "--data", "t.csv")
    assert done.exit_code == 0, done.output
    for name in ("r.html", "t.html"):
        text = read(shell, name)
        assert "&lt;script&gt;" in text
        assert "<script" not in text
        assert "<img src=x" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.safetensors"], "nowhere.safetensors"),
        (["trees.csv"], "trees.csv"),
        (["trees.safetensors", "--data", "nowhere.csv"], "nowhere.csv"),
        (["trees.safetensors", "--data", "other.csv"], "expected the column 'kind'"),
        (["trees.safetensors", "-o", "missing/r.html"], "missing"),
    ],
)
def test_mistakes_are_one_line(shell, model, write_table, arguments, words):
    write_table(shell.folder / "other.csv", ["height", "leaf"], [[1, 2]])
    done = shell("report", *arguments)
    assert done.exit_code == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_said_before_training(shell, table):
    done = shell("train", table, "--target", "kind", "--report", "missing/r.html")
    assert done.exit_code == 1
    assert "missing" in done.stderr
    assert "test" not in done.stdout


def test_without_matplotlib_it_says_how_to_get_it(shell, table, model, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("chainrule.pictures")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "chainrule.cli.report", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = shell(
        "train", table, "--target", "kind", "--report", "r.html", "--save", "m.safetensors"
    )
    assert done.exit_code == 0, done.output
    assert 'pip install "chainrule[plot]"' in done.stderr
    done = shell("report", model)
    assert done.exit_code == 1
    assert 'pip install "chainrule[plot]"' in done.stderr
