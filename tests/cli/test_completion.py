"""The Tab key: the shell's script is printed, and it completes what there is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chainrule.cli import app
from chainrule.cli.options import Solver
from chainrule.networks import ACTIVATIONS

CODE = "import sys; sys.argv[0] = 'chainrule'; from chainrule.cli import main; main()"


def ask(task, **environment):
    """What the command answers to the shell."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        env=os.environ | {"_CHAINRULE_COMPLETE": task} | environment,
    )
    return done.stdout.split()


def complete(*words):
    """What bash would offer for the last of these words."""
    return ask("complete_bash", COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1))


def test_commands_complete():
    names = {one.name or one.callback.__name__ for one in app.registered_commands}
    assert set(complete("chainrule", "")) == names
    assert complete("chainrule", "pl") == ["playground"]


def test_options_and_their_values_complete():
    assert complete("chainrule", "train", "digits", "--check") == [
        "--checkpoint",
        "--checkpoint-every",
    ]
    assert set(complete("chainrule", "train", "digits", "--solver", "")) == set(Solver)
    assert complete("chainrule", "check", "digits", "--activation", "re") == [
        name for name in ACTIVATIONS if name.startswith("re")
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell):
    script = ask(f"source_{shell}")
    assert f"_CHAINRULE_COMPLETE=complete_{shell}" in " ".join(script)


def test_the_page_names_every_command(project_root):
    page = (project_root / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    for one in app.registered_commands:
        assert f"`chainrule {one.name or one.callback.__name__}" in page
