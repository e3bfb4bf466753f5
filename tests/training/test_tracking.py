"""What callbacks write down of each epoch: whole lines, none twice, at any moment."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from chainrule.training import WriteCSV, WriteJSONLines, minimize, minimize_batches
from chainrule.training.history import COLUMNS


class PowerCut(Exception):
    pass


def read(path):
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    if path.suffix == ".csv":
        return [
            {name: float(cell) for name, cell in row.items() if cell}
            for row in csv.DictReader(text.splitlines())
        ]
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("kind", "name"), [(WriteCSV, "h.csv"), (WriteJSONLines, "h.jsonl")])
def test_the_file_is_the_history(problem, tmp_path, kind, name):
    path, seen = tmp_path / name, []

    def look(progress):
        seen.append(len(read(path)))

    result = minimize_batches(
        problem.objective,
        problem.X,
        problem.y,
        theta0=problem.theta0,
        max_epochs=5,
        callbacks=[kind(path), look],
    )
    assert seen == [1, 2, 3, 4, 5]
    rows = read(path)
    for row, expected in zip(rows, result.history, strict=True):
        known = {key: value for key, value in expected.items() if value == value}
        assert row == pytest.approx(known, rel=0, abs=0)
    assert "validation_score" not in rows[0]
    minimize(
        problem.objective,
        problem.X,
        problem.y,
        theta0=problem.theta0,
        max_iter=3,
        callbacks=[kind(path)],
    )
    assert [row["epoch"] for row in read(path)] == [1, 2, 3]


def test_a_training_that_goes_on_writes_no_epoch_twice(problem, tmp_path):
    path = tmp_path / "h.csv"

    def cut(progress):
        if progress.epoch == 8:
            raise PowerCut

    options = {"theta0": problem.theta0, "max_epochs": 12, "n_iter_no_change": None}
    kept = {"checkpoint": tmp_path / "runs", "checkpoint_every": 3}
    data = problem.objective, problem.X, problem.y
    with pytest.raises(PowerCut):
        minimize_batches(*data, **options, **kept, callbacks=[WriteCSV(path), cut])
    assert len(read(path)) == 8
    result = minimize_batches(*data, **options, **kept, callbacks=[WriteCSV(path)])
    rows = read(path)
    assert [row["epoch"] for row in rows] == list(range(1, 13))
    np.testing.assert_array_equal([row["loss"] for row in rows], result.history["loss"])
    assert path.read_text(encoding="utf-8").splitlines()[0].split(",") == list(COLUMNS)
