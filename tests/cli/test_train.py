"""Training from the command line: the ladder on digits, one model on a table."""

from __future__ import annotations

import re

import numpy as np
import pytest

import chainrule as cr

LADDER = ["one-vs-all", "softmax", "64-20-10", "64-20-20-10"]
PICTURES = {"loss.png", "weights.png", "confusion.png", "misclassified.png"}
ROW = re.compile(
    r"^ *(?P<model>\S+) +(?P<parameters>[\d,]+) +(?P<sign>[✓✗]) (?P<check>\S+) +(?P<steps>\d+)"
    r" +(?P<loss>[\d.]+) +(?P<train>[\d.]+)% +(?P<test>[\d.]+)% +(?P<seconds>[\d.]+) s",
    re.MULTILINE,
)


def table_of(output):
    return [match.groupdict() for match in ROW.finditer(output)]


@pytest.fixture(scope="module")
def main_job(tmp_path_factory):
    """`chainrule train digits` with no options, once for all tests of it."""
    from typer.testing import CliRunner

    from chainrule.cli import app

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("digits")
        patch.chdir(folder)
        environment = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
        done = CliRunner().invoke(app, ["train", "digits"], env=environment)
    return folder, done


def test_the_ladder_side_by_side(main_job):
    _, done = main_job
    assert done.exit_code == 0, done.output
    rows = table_of(done.stdout)
    assert [row["model"] for row in rows] == LADDER
    assert [row["parameters"] for row in rows] == ["650", "650", "1,510", "1,930"]
    for row in rows:
        assert row["sign"] == "✓"
        assert float(row["check"]) < 1e-6
        assert float(row["test"]) > 94.5
        assert float(row["train"]) > 97


def test_networks_learn_more_than_linear_models(main_job):
    rows = table_of(main_job[1].stdout)
    train = [float(row["train"]) for row in rows]
    assert max(train[2:]) >= max(train[:2])
    assert float(rows[2]["loss"]) < float(rows[1]["loss"])


def test_nothing_wraps_at_80_columns(main_job):
    assert max(len(line.rstrip()) for line in main_job[1].stdout.splitlines()) <= 80


def test_four_pictures_and_nothing_else(main_job):
    folder, done = main_job
    assert {path.name for path in folder.iterdir()} == {"chainrule-digits"}
    assert {path.name for path in (folder / "chainrule-digits").iterdir()} == PICTURES
    for name in PICTURES:
        assert (folder / "chainrule-digits" / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert name.removesuffix(".png") in done.stdout


def test_the_same_seed_gives_the_same_numbers(main_job, shell):
    again = shell("train", "digits", "--model", "softmax", "--pictures", "p")
    (row,) = table_of(again.stdout)
    before = table_of(main_job[1].stdout)[1]
    for name in ("model", "steps", "loss", "train", "test"):
        assert row[name] == before[name]


def test_one_model_of_a_table_saved_and_read_again(shell, table, flowers):
    done = shell("train", table, "--target", "kind", "--hidden", "4,3", "--save", "m.safetensors")
    assert done.exit_code == 0, done.output
    (row,) = table_of(done.stdout)
    assert row["model"] == "2-4-3-3"
    assert shell.files() == {"trees.csv", "m.safetensors"}
    X, y = flowers(60, seed=3)
    assert np.mean(cr.load("m.safetensors").predict(X) == y) > 0.75


def test_pictures_of_a_table_where_they_are_wanted(shell, table):
    shell("train", table, "--target", "kind", "--pictures", "p")
    assert {path.name for path in (shell.folder / "p").iterdir()} == {"loss.png", "confusion.png"}


def test_of_several_models_the_best_is_saved(shell):
    arguments = ["--max-iter", "15", "--pictures", "p", "--save", "m.safetensors"]
    done = shell("train", "digits", *arguments)
    rows = table_of(done.stdout)
    best = max(rows, key=lambda row: float(row["test"]))["model"]
    assert f"model {best} saved in m.safetensors" in done.stdout
    data = cr.load_digits()
    score = np.mean(cr.load("m.safetensors").predict(data.X_test) == data.y_test)
    assert f"{score:.1%}" == max((row["test"] for row in rows), key=float) + "%"


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", "adam", "sgd"])
def test_other_solvers(shell, table, solver):
    arguments = ["--target", "kind", "--solver", solver, "--batch-size", "16", "--max-iter", "20"]
    done = shell("train", table, *arguments, "--model", "mlp")
    assert done.exit_code == 0, done.output
    assert f"solver {solver}" in done.stdout
    assert len(table_of(done.stdout)) == 1


def test_alpha_is_the_same_lambda_for_every_model(shell, table):
    """λ/2 Σ‖W‖² beside the mean loss; a huge one leaves every model with its intercepts only."""
    for model in ("one-vs-all", "softmax", "mlp"):
        arguments = ["--target", "kind", "--model", model, "--save", "m.safetensors"]
        done = shell("train", table, *arguments, "--alpha", "1000")
        assert done.exit_code == 0, done.output
        loaded = cr.load("m.safetensors")
        probabilities = loaded.predict_proba(np.array([[5000.0, 0.0], [9000.0, 0.03]]))
        np.testing.assert_allclose(probabilities, 1 / 3, atol=0.05)


def test_text_and_whole_numbers_are_classes(shell, write_table):
    rows = [[i % 4, (i * 7) % 5, 10 + i % 2] for i in range(40)]
    write_table("t.csv", ["a", "b", "y"], rows)
    done = shell("train", "t.csv", "--target", "y", "--model", "mlp", "--save", "m.safetensors")
    assert "2 classes" in done.stdout
    assert cr.load("m.safetensors").classes_.tolist() == [10, 11]


def test_rare_classes_and_tiny_tables_are_learnt_from(shell, write_table):
    write_table("t.csv", ["a", "y"], [[0, "u"], [1, "v"], [2, "u"], [3, "v"], [9, "w"]])
    done = shell("train", "t.csv", "--target", "y", "--model", "softmax")
    assert done.exit_code == 0, done.stderr


def test_constant_and_huge_columns_are_scaled(shell, write_table):
    rows = [[7, (-1) ** i * 1e300, i % 3, i % 2] for i in range(40)]
    write_table("t.csv", ["constant", "huge", "other", "y"], rows)
    done = shell("train", "t.csv", "--target", "y", "--model", "mlp", "--save", "m.safetensors")
    assert done.exit_code == 0, done.stderr
    (row,) = table_of(done.stdout)
    assert row["test"] == "100.0"


def test_without_matplotlib_it_says_how_to_get_it_and_goes_on(shell, table, monkeypatch):
    import sys

    for name in [name for name in sys.modules if name.startswith("chainrule.pictures")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "chainrule.cli.album", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = shell("train", table, "--target", "kind", "--pictures", "p", "--save", "m.safetensors")
    assert done.exit_code == 0, done.output
    assert 'pip install "chainrule[plot]"' in done.stderr
    assert shell.files() == {"trees.csv", "m.safetensors"}


def test_a_wrong_gradient_is_seen_and_fails(shell, table, monkeypatch):
    from chainrule.ops.activations import Sigmoid

    monkeypatch.setenv("CHAINRULE_ENGINE", "off")
    monkeypatch.setattr(Sigmoid, "backward", lambda self, dy, x, y: (1.001 * dy * y * (1 - y),))
    done = shell("train", table, "--target", "kind", "--hidden", "3", "--max-iter", "3")
    assert done.exit_code == 1
    assert "✗" in done.stdout
    assert "gradient is wrong" in done.stderr
    assert shell("check", table, "--target", "kind", "--hidden", "3").exit_code == 1


@pytest.mark.slow
def test_mnist_by_conjugate_gradients(shell, mnist_folder):
    """784-20-10, λ = 1e-4, at most 150 iterations: what the README quotes."""
    done = shell("train", mnist_folder)
    assert done.exit_code == 0, done.output
    (row,) = table_of(done.stdout)
    assert row["model"] == "784-20-10"
    assert int(row["steps"]) <= 150
    assert float(row["test"]) >= 95.0
    assert {path.name for path in (shell.folder / "chainrule-mnist").iterdir()} == PICTURES
