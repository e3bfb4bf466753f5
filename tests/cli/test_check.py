"""``chainrule check``: the report, for tables and digits."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("arguments", "name", "parameters"),
    [
        (["--model", "one-vs-all"], "one-vs-all", ["W", "b"]),
        (["--model", "softmax"], "softmax", ["W", "b"]),
        (["--hidden", "4,3", "--activation", "relu"], "2-4-3-3", ["W1", "b1", "W2", "b2", "W3"]),
    ],
)
def test_reports_every_parameter(shell, table, arguments, name, parameters):
    done = shell("check", table, "--target", "kind", *arguments, "--rows", "30")
    assert done.exit_code == 0, done.output
    assert f"{name} on 30 rows of trees" in done.stdout
    for parameter in parameters:
        assert parameter in done.stdout
    assert "The gradient is right" in done.stdout


def test_quantities_are_checked_too(shell, write_table):
    write_table("t.csv", ["a", "z"], [[i, i / 3] for i in range(20)])
    done = shell("check", "t.csv", "--target", "z")
    assert done.exit_code == 0, done.output
    assert "1-20-1" in done.stdout


def test_digits(shell):
    done = shell("check", "digits", "--model", "softmax", "--rows", "20", columns=80)
    assert done.exit_code == 0, done.output
    assert "softmax on 20 rows of digits" in done.stdout
    assert shell.files() == set()
