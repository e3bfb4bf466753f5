"""Tests in children of this process, each with a copy of the package that it may find changed.

What is slow to import (NumPy, SciPy, scikit-learn, pytest) is imported once, here; a child starts
from that and imports only the package and the tests. So a change costs a second, not ten.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

from mutation.changes import Mutant
from mutation.reach import Only, Reach

ALONE = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}
WARM = (
    "numpy", "numpy.testing", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats",
    "sklearn.base", "sklearn.datasets", "sklearn.neural_network", "hypothesis",
    "hypothesis.extra.numpy", "hypothesis.strategies", "safetensors.numpy", "threadpoolctl",
    "typer", "rich.console", "rich.table", "torch", "pytest",
)  # fmt: skip
MEMORY = 16 * 2**30  # of addresses; a change that asks for more is noticed
QUIET = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
QUIET += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is imported before


def warm_up() -> None:
    """Import what does not change, with one thread each, since threads do not survive a fork."""
    os.environ |= dict.fromkeys(ALONE, "1")
    for name in WARM:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                importlib.import_module(name)
            except ImportError:
                continue  # the tests that need it skip themselves


class _Finder:
    """Finds the package in one folder, before any other that is installed."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """As importlib asks."""
        if name != "chainrule" and not name.startswith("chainrule."):
            return None
        places = [self._folder] if name == "chainrule" else path
        return importlib.machinery.PathFinder.find_spec(name, places)  # type: ignore[arg-type]


@dataclass
class Child:
    """A process that runs tests."""

    pid: int
    ends: float
    output: Path

    def ended(self) -> int | None:
        """The exit code; −1 where the time ran out or a signal ended it; None while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() < self.ends:
            return None
        self.stop()
        return -1

    def stop(self) -> None:
        """End it, with what it started."""
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Slot:
    """A copy of the package, in which one change at a time is tried."""

    def __init__(self, root: Path, package: Path, folder: Path) -> None:
        self._root, self._folder, self.package = root, folder, folder / "chainrule"
        shutil.copytree(package, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        self._before: tuple[Path, bytes] | None = None

    def start(self, mutant: Mutant, tests: list[str], seconds: float) -> Child:
        """Try ``tests`` in this order with the change."""
        path = self.package / mutant.file
        self._before = path, path.read_bytes()
        self._write(path, mutant.source.encode())
        arguments = ["-x", *QUIET, *dict.fromkeys(test.split("::")[0] for test in tests)]
        return self._fork(seconds, lambda: _pytest(arguments, Only(tests)))

    def restore(self) -> None:
        """Take the change back."""
        if self._before is not None:
            self._write(*self._before)
            self._before = None

    def measure(self, file: str, rooms: tuple[str, ...], into: Path, seconds: float) -> Child:
        """Run a file of tests without a change, and write which lines each of them ran."""

        def run() -> int:
            reach = Reach(self.package, rooms)
            code = _pytest([*QUIET, "-m", "not slow and not browser", file], reach)
            sys.settrace(None)
            said = {
                "lines": {test: sorted(lines) for test, lines in reach.lines.items()},
                "seconds": reach.seconds,
                "failed": sorted(reach.failed),
            }
            into.write_text(json.dumps(said), encoding="utf-8")
            return code

        return self._fork(seconds, run)

    def _write(self, path: Path, content: bytes) -> None:
        """With what was compiled of it gone: two versions may have one size and one second."""
        path.write_bytes(content)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    def _fork(self, seconds: float, run: object) -> Child:
        output = self._folder / "output.txt"
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                os.setsid()
                _redirect(output)
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                os.chdir(self._root)
                os.environ["PYTHONPATH"] = str(self._folder)
                sys.meta_path.insert(0, _Finder(self._folder))  # type: ignore[arg-type]
                code = int(run())  # type: ignore[operator]
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        return Child(pid, time.monotonic() + seconds, output)


def _redirect(output: Path) -> None:
    place = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(place, 1)
    os.dup2(place, 2)


def _pytest(arguments: list[str], plugin: object) -> int:
    import pytest

    return int(pytest.main(arguments, plugins=[plugin]))
