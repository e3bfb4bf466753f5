"""The page on saving keeps its word: its code runs and prints what it says, commands exist."""

from __future__ import annotations

import doctest
import io
import re
import shlex
import warnings
from contextlib import redirect_stdout

import pytest
from sklearn.exceptions import ConvergenceWarning
from typer.testing import CliRunner

from chainrule.cli import app

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks(project_root):
    return BLOCK.findall((project_root / "docs" / "saving.md").read_text(encoding="utf-8"))


def test_code_prints_what_the_page_says(blocks, tmp_path, monkeypatch):
    """All Python blocks one after another; a text block right after one is what it prints."""
    pytest.importorskip("onnxruntime", reason="the page shows every format: the extra [onnx]")
    pytest.importorskip("torch", reason="the page shows every format: the extra [torch]")
    monkeypatch.chdir(tmp_path)
    checker, namespace = doctest.OutputChecker(), {"__name__": "saving"}
    code = [place for place, (language, _) in enumerate(blocks) if language == "python"]
    assert len(code) == 8
    for place in code:
        language, expected = blocks[place + 1]
        printed = io.StringIO()
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            exec(compile(blocks[place][1], "saving.md", "exec"), namespace)
        assert language == "text"
        assert checker.check_output(expected, printed.getvalue(), 0), printed.getvalue()


def test_commands_and_their_options_exist(blocks, project_root):
    lines = [
        line for language, text in blocks if language == "console" for line in text.split("\n")
    ]
    commands = [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]
    assert len(commands) == 6
    for program, *arguments in commands:
        if program == "python":
            assert (project_root / arguments[0]).exists()
            continue
        shown = CliRunner().invoke(app, [arguments[0], "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0
        for option in (one for one in arguments if one.startswith("-")):
            assert re.search(rf"{option}\b", shown.output), option
