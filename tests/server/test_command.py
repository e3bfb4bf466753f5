"""``chainrule playground``: prints its link, serves, ends on Ctrl-C, refuses a wrong table."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from chainrule.cli import app
from chainrule.server import tables

from .wire import httpx


def start(*arguments):
    command = [sys.executable, "-m", "chainrule", "playground", "--no-browser", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_it_serves_until_interrupted(tmp_path):
    table = tmp_path / "table.csv"
    rows = [f"{i},{i % 7},{i % 3}" for i in range(40)]
    table.write_text("\n".join(["a,b,kind", *rows]), encoding="utf-8")
    process = start(str(table), "--target", "kind")
    link = ""
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line):
            link = found.group()
            break
    assert httpx.get(link).status_code == 200
    started = httpx.get(link.split("?")[0] + "settings.json").json()["start"]
    assert started["dataset"] == "own"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert errors == ""


@pytest.fixture
def refused(monkeypatch):
    """What the command says instead of serving, in this process."""

    def serve(*arguments, **options):
        raise AssertionError("it would serve")

    monkeypatch.setattr("chainrule.server.launch.Playground", serve)

    def run(*arguments):
        words = ["playground", "--no-browser", *map(str, arguments)]
        done = CliRunner().invoke(app, words, env={"COLUMNS": "120", "NO_COLOR": "1"})
        assert done.exit_code == 1
        assert isinstance(done.exception, SystemExit)
        return done.output

    return run


@pytest.mark.parametrize(
    ("content", "message"),
    [("a,b\n1,2\n", "at least 3 columns"), ("a,b,c\n1,x,2\n", "a number")],
)
def test_a_wrong_table_is_refused_in_one_line(refused, tmp_path, content, message):
    table = tmp_path / "table.csv"
    table.write_text(content, encoding="utf-8")
    said = refused(table)
    assert message in " ".join(said.split())
    assert str(table) in "".join(said.split())


def test_a_target_without_a_file_is_refused(refused):
    said = refused("--target", "y")
    assert "--target: expected a CSV file beside it" in " ".join(said.split())


def test_a_file_too_large_is_refused_before_it_is_read(refused, tmp_path):
    table = tmp_path / "huge.csv"
    with table.open("wb") as file:
        file.truncate(tables.MAX_BYTES + 1)
    said = refused(table)
    assert f"at most {tables.MAX_BYTES} bytes" in " ".join(said.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON"),
        ('{"chainrule_lesson": 1, "id": "A"}', "id: expected 1 to 40 small letters"),
    ],
)
def test_a_wrong_lesson_is_refused_in_one_line(refused, tmp_path, content, message):
    lesson = tmp_path / "lesson.json"
    lesson.write_text(content, encoding="utf-8")
    said = refused("--lesson", lesson)
    assert message in " ".join(said.split())


def test_a_lesson_beside_a_table_is_refused(refused, tmp_path):
    said = refused("table.csv", "--lesson", "lesson.json")
    assert "--lesson: expected no CSV file beside it" in " ".join(said.split())
