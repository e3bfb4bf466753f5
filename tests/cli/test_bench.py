"""``chainrule bench``: measured, kept, compared."""

from __future__ import annotations

import json

import pytest

from chainrule.cli import bench


@pytest.fixture
def quick(monkeypatch):
    """Two tasks that do nothing; what they "take" is set by the test."""
    taken = {"first": 1.0, "second": 0.002}
    monkeypatch.setattr(bench, "TASKS", {name: (lambda name=name: name) for name in taken})
    monkeypatch.setattr(bench, "measure", lambda name, rounds: taken[name])
    return taken


def test_figures_are_kept_and_compared(shell, quick):
    assert shell("bench", "--save", "then.json").exit_code == 0
    kept = json.loads((shell.folder / "then.json").read_text())
    assert kept["seconds"] == {"first": 1.0, "second": 0.002}
    quick["first"] = 1.2
    done = shell("bench", "--compare", "then.json")
    assert done.exit_code == 0, done.output
    assert "1.20" in done.stdout
    assert "2 ms" in done.stdout


def test_a_slower_task_is_a_failure(shell, quick):
    shell("bench", "--save", "then.json")
    quick["second"] = 0.003
    assert shell("bench", "--compare", "then.json").exit_code == 1
    assert shell("bench", "--compare", "then.json", "--slower", "2").exit_code == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "else"}', '{"format": "chainrule bench 1"}', "[" * 9999]
)
def test_another_file_is_refused_in_one_line(shell, quick, text):
    (shell.folder / "other.json").write_text(text)
    done = shell("bench", "--compare", "other.json")
    assert done.exit_code == 1
    assert "expected a file that chainrule bench --save wrote" in done.stderr


@pytest.mark.parametrize("name", bench.TASKS)
def test_every_task_does_its_work(name):
    assert bench.TASKS[name]()() > 0


def test_the_median_of_a_unit_is_taken(monkeypatch):
    clock = iter([0.0, 4.0, 10.0, 30.0, 40.0, 46.0])  # runs of 4, 20 and 6 seconds
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))
    assert bench.measure(lambda: 2.0, rounds=3) == 3.0
