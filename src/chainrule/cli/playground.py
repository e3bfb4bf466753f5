"""``chainrule playground``: the page in the browser, until Ctrl-C."""

from __future__ import annotations

import importlib.util
import webbrowser
from pathlib import Path
from typing import Any

from chainrule.cli.console import out
from chainrule.errors import ChainruleError, DataError, describe
from chainrule.server import lessons
from chainrule.server.own import Own
from chainrule.server.tables import check_size, header_of

NEEDED = ("starlette", "uvicorn", "websockets")


class MissingExtra(ChainruleError, ImportError):
    """The packages of the extra ``[playground]`` are not installed."""


def run(
    file: Path | None,
    target: str | None,
    port: int,
    open_browser: bool,
    lesson: Path | None = None,
) -> None:
    """Serve the page on this machine and open it.

    Raises
    ------
    MissingExtra
    DataError
        A table without the column ``target``, or not of numbers; a target without a table; a
        lesson with a field that is not allowed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        remedy = "Install them: pip install 'chainrule[playground]'"
        raise MissingExtra(describe("playground", ", ".join(NEEDED), f"no {missing[0]}", remedy))
    if file is None and target is not None:
        remedy = "Name the file too: chainrule playground FILE.csv --target COLUMN."
        raise DataError(describe("--target", "a CSV file beside it", "none", remedy))
    from chainrule.server.launch import Playground  # needs the extra

    if file is not None and lesson is not None:
        remedy = "Open the file in the page."
        raise DataError(describe("--lesson", "no CSV file beside it", str(file), remedy))
    own = None if file is None else _own(file, target)
    settings = {} if own is None else {"dataset": "own"}
    taught = None if lesson is None else _lesson(lesson)
    handle = Playground(settings, own, port=port, framed=False, lesson=taught)
    console = out()
    console.print("The playground is open at\n")
    console.print(f"  {handle.url}\n", soft_wrap=True, highlight=False)
    console.print("Ctrl-C ends it.")
    if open_browser:
        webbrowser.open(handle.url)
    handle.wait()


def _lesson(file: Path) -> dict[str, Any]:
    lessons.check_size(file.stat().st_size, str(file))
    return lessons.read_lesson(file.read_bytes(), str(file))


def _own(file: Path, target: str | None) -> Own:
    """The table's first two columns beside the target, refused here rather than in the page."""
    check_size(file.stat().st_size, str(file))
    content = file.read_bytes()
    names = header_of(content, str(file))
    goal = names[-1] if target is None else target
    columns = [name for name in names if name != goal][:2]
    own = Own(str(file), None, content, tuple(columns), goal)
    if goal not in names:
        raise DataError(describe("--target", f"one of {', '.join(names)}", goal))
    own.split({"train_percent": 50, "data_seed": 0})
    return own
