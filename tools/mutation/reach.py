"""Which tests run which lines, and how long each test takes: one run without any change."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

OUTSIDE = ""  # the test of what runs while modules are imported and tests are collected


class Reach:
    """A pytest plugin that notes the lines of `rooms` each test runs, its setup included.

    Attributes
    ----------
    lines : dict of str to set of (str, int)
        By test: file relative to the package, and line.
    seconds : dict of str to float
    failed : set of str
        Tests that fail as it is.
    """

    def __init__(self, package: Path, rooms: tuple[str, ...]) -> None:
        self.lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self._package, self._rooms = package, rooms
        self._files: dict[CodeType, str | None] = {}
        self._test = OUTSIDE
        sys.settrace(self._call)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Everything until the next test belongs to this one."""
        self._test = item.nodeid
        sys.settrace(self._call)
        start = time.perf_counter()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.perf_counter() - start
            self._test = OUTSIDE

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what fails."""
        if report.failed:
            self.failed.add(report.nodeid)

    def _call(self, frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if code not in self._files:
            self._files[code] = self._name(code.co_filename)
        name = self._files[code]
        if name is None:
            return None
        lines = self.lines[self._test]
        lines.add((name, frame.f_lineno))

        def line(frame: FrameType, event: str, argument: object) -> Any:
            if event == "line":
                lines.add((name, frame.f_lineno))
            return line

        return line

    def _name(self, path: str) -> str | None:
        if not path.startswith(str(self._package)):
            return None
        name = Path(path).relative_to(self._package).as_posix()
        return name if name.startswith(self._rooms) else None


class Only:
    """A pytest plugin that keeps the named tests, in that order."""

    def __init__(self, tests: list[str]) -> None:
        self._places = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The others are taken away."""
        items[:] = [item for item in items if item.nodeid in self._places]
        items.sort(key=lambda item: self._places[item.nodeid])
