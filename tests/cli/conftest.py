"""Commands run in an empty folder, and small tables for them to learn from."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from chainrule.cli import app
from chainrule.errors import EngineUnavailableWarning


@pytest.fixture(autouse=True)
def engine_or_not():
    """A missing engine is said once a process, in the middle of whatever test comes first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EngineUnavailableWarning)
        yield


class Shell:
    """Runs commands in this process; ``folder`` is the current directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object, columns: int = 120) -> Result:
        environment = {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"}
        return CliRunner().invoke(app, [str(one) for one in arguments], env=environment)

    def files(self) -> set[str]:
        """Everything in the folder, hidden and half-written files included."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def _write_table(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _flowers(rows=90, seed=0):
    """Three classes around three centres, columns of very different size."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    centres = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    X = (centres[y] + rng.normal(size=(rows, 2))) * [1000.0, 0.01] + [5000.0, 0.0]
    return X, np.array(["ash", "beech", "cedar"])[y]


@pytest.fixture
def write_table():
    return _write_table


@pytest.fixture
def flowers():
    return _flowers


@pytest.fixture
def table(shell):
    X, y = _flowers()
    rows = [[*x, label] for x, label in zip(X.tolist(), y, strict=True)]
    return _write_table(shell.folder / "trees.csv", ["height", "leaf", "kind"], rows)


@pytest.fixture
def model(shell, table):
    """A file with a model of the table."""
    path = shell.folder / "trees.safetensors"
    done = shell("train", table, "--target", "kind", "--model", "softmax", "--save", path)
    assert done.exit_code == 0, done.output
    return path
