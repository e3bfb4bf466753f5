"""The README keeps its word: its code runs and prints what it says, its commands exist."""

from __future__ import annotations

import doctest
import io
import re
import shlex
import tomllib
from contextlib import redirect_stdout

import pytest
from typer.testing import CliRunner

from chainrule.cli import app

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def readme(project_root):
    return (project_root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def blocks(readme):
    return BLOCK.findall(readme)


def test_every_block_says_its_language(readme, blocks):
    assert readme.count("```") == 2 * len(blocks)
    assert {language for language, _ in blocks} <= {"python", "text", "console"}


def test_code_prints_what_the_readme_says(blocks, tmp_path, monkeypatch):
    """All Python blocks run one after another, as a reader would paste them.

    A text block right after one is what it prints.
    """
    monkeypatch.chdir(tmp_path)
    checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    namespace: dict[str, object] = {"__name__": "readme"}
    assert any(language == "python" for language, _ in blocks)
    for (language, text), (after, expected) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(text, "README.md", "exec"), namespace)
        expected = expected if after == "text" else ""
        assert checker.check_output(expected, printed.getvalue(), flags), (
            f"{text}\nprints\n{printed.getvalue()}"
        )


def commands(blocks):
    """Every line typed after a $ in a console block, continued lines joined."""
    for language, text in blocks:
        if language == "console":
            for line in text.replace("\\\n", " ").splitlines():
                if line.startswith("$ "):
                    yield shlex.split(line[2:], comments=True)


def test_commands_exist(blocks, project_root):
    makefile = (project_root / "Makefile").read_text(encoding="utf-8")
    settings = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    seen = set()
    for program, *arguments in commands(blocks):
        name = program.rpartition("/")[2]
        seen.add(name)
        if name == "make":
            assert re.search(rf"^{arguments[0]}\b.*:", makefile, re.MULTILINE), arguments
        elif name == "pip":
            extras = re.findall(r"\[([\w,]+)\]", " ".join(arguments))
            known = settings["project"]["optional-dependencies"]
            assert all(extra in known for group in extras for extra in group.split(","))
        elif name == "chainrule":
            assert_command_exists(arguments)
        else:
            assert name in ("python", "python3", "git", "cd"), program
    assert {"make", "pip", "chainrule"} <= seen


ROW = re.compile(r"^ (\S+) +([\d,]+) +✓ \S+ +\d+ +[\d.]+ +([\d.]+)% +([\d.]+)%", re.MULTILINE)


@pytest.mark.slow
def test_the_table_is_what_the_command_prints(readme, tmp_path, monkeypatch):
    """Accuracies to a percent: machines differ in the last bits, and training magnifies them."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["train", "digits"], env={"COLUMNS": "80", "NO_COLOR": "1"})
    said, came = ROW.findall(readme), ROW.findall(done.stdout)
    assert len(said) == 4
    assert [row[:2] for row in said] == [row[:2] for row in came]
    for row, now in zip(said, came, strict=True):
        assert [float(x) for x in row[2:]] == pytest.approx([float(x) for x in now[2:]], abs=1.0)


def test_pictures_and_pages_are_there(readme, project_root):
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert len(links) >= 5
    assert [link for link in links if not (project_root / link).exists()] == []


def assert_command_exists(arguments):
    if arguments == ["--help"]:
        return
    shown = CliRunner().invoke(app, [arguments[0], "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, arguments
    for option in (one.partition("=")[0] for one in arguments if one.startswith("-")):
        assert re.search(rf"{option}\b", shown.output), (arguments, option)
