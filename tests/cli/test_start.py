"""The command itself: it starts fast, it is there under both names, help names every command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import chainrule
from chainrule.cli.options import ModelName, Solver, parse_hidden
from chainrule.errors import OptionError
from chainrule.estimators.options import COMMON

COMMANDS = ("train", "predict", "check", "info")


def start(*arguments, **options):
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "chainrule", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        **options,
    )


def processor_seconds():
    times = os.times()
    return times.children_user + times.children_system


def test_help_names_every_command_and_is_quick():
    # processor time, the smallest of several runs: a busy machine can only add
    seconds = []
    for _ in range(3):
        before = processor_seconds()
        done = start("--help")
        seconds.append(processor_seconds() - before)
        assert done.returncode == 0
        assert all(command in done.stdout for command in COMMANDS)
    assert min(seconds) < 1.5


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_nothing_heavy(command):
    code = (
        "import sys; from typer.testing import CliRunner; from chainrule.cli import app; "
        f"done = CliRunner().invoke(app, [{command!r}, '--help']); "
        "heavy = {'sklearn', 'scipy', 'matplotlib'} & set(sys.modules); "
        "sys.exit(f'{done.output} {heavy}' if heavy or done.exit_code else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_version():
    assert start("--version").stdout == f"chainrule {chainrule.__version__}\n"


def test_without_a_command_the_help_is_shown(shell):
    done = shell()
    assert done.exit_code == 2
    assert "train" in done.output


def test_the_names_of_models_and_solvers_are_the_estimators():
    assert set(ModelName) == {"one-vs-all", "softmax", "mlp"}
    for solver in Solver:
        assert COMMON["solver"].holds(str(solver))
    assert all(f"'{solver}'" in COMMON["solver"].words for solver in Solver)
    assert COMMON["solver"].words.count("'") == 2 * len(Solver)


def test_full_batch_solvers_are_known():
    from chainrule.training import SOLVERS

    assert {str(solver) for solver in Solver if solver.is_full_batch} == set(SOLVERS)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("20", (20,)),
        ("20,10", (20, 10)),
        (" 20, 10 ,5", (20, 10, 5)),
        ("7 3", (7, 3)),
        (None, None),
    ],
)
def test_hidden_layers_as_people_write_them(text, sizes):
    assert parse_hidden(text) == sizes


@pytest.mark.parametrize("text", ["", "0", "-3", "20;10", "20,", "2.5", "a"])
def test_what_is_no_hidden_layer(text):
    with pytest.raises(OptionError, match="--hidden"):
        parse_hidden(text)


def test_info_says_versions_engine_threads_and_blas(shell):
    done = shell("info")
    assert done.exit_code == 0
    for word in ("chainrule", "numpy", "scikit-learn", "engine", "threads", "BLAS"):
        assert any(line.startswith(word) for line in done.stdout.splitlines()), word


def test_info_says_why_the_engine_is_not_used(shell, monkeypatch):
    monkeypatch.setenv("CHAINRULE_ENGINE", "off")
    assert "not compiled" in shell("info").stdout


def test_info_says_how_to_get_what_is_missing(shell, monkeypatch):
    from importlib import metadata

    real = metadata.version

    def version(name):
        if name == "matplotlib":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    assert 'pip install "chainrule[plot]"' in shell("info").stdout
