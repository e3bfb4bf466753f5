"""Fits in processes of their own, some at a time, kept line by line, within a limit of time."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from benchmarks.tables.contenders import CONTENDERS
from benchmarks.tables.report import Key, Results
from benchmarks.tables.sets import SETS

ROOT = Path(__file__).resolve().parents[2]
STARTUP = 8.0
"""Seconds that a process takes before its fit, at most."""


@dataclass(frozen=True)
class Conditions:
    """What all fits of a run have in common.

    Attributes
    ----------
    rows : int or None
        Rows of a set at most.
    threads : int
        Of each fit.
    data : Path
        The folder of the sets' files.
    peer_python : str or None
        An interpreter that has pytabkit, where this one has not.
    timeout : float
        Seconds of one fit at most.
    """

    rows: int | None
    threads: int
    data: Path
    peer_python: str | None
    timeout: float

    def told(self) -> dict[str, int]:
        """What a result must have been measured with to be shown beside others."""
        return {"limit": self.rows or 0, "threads": self.threads}


def read(path: Path, conditions: Conditions) -> Results:
    """The results that were kept of fits in these conditions."""
    results: Results = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            if conditions.told().items() <= found.items():
                results[found["set"], found["seed"], found["contender"]] = found
    return results


class Runner:
    """Runs the fits that have no result yet and keeps what comes of each at once.

    Parameters
    ----------
    conditions : Conditions
    kept : Path
        A file of JSON lines.
    seconds : float or None
        No fit begins that would by experience end later; none runs on beyond.
    """

    def __init__(self, conditions: Conditions, kept: Path, seconds: float | None) -> None:
        self.conditions = conditions
        self.kept = kept
        self.results = read(kept, conditions)
        self.end = None if seconds is None else time.perf_counter() + seconds
        self.left = 0
        self._lock = Lock()
        self._took: dict[tuple[str, str], float] = {}
        for (name, _, contender), found in self.results.items():
            self._learn(name, contender, found)

    def run(self, keys: Sequence[Key], jobs: int) -> Iterator[str]:
        """A line for each fit of ``keys`` that had no result, as they end, and one for those that
        time was too short for; the long ones first where several run at a time."""
        wanted = [key for key in keys if key not in self.results]
        if jobs > 1:
            wanted.sort(key=lambda key: -self.expected(key))
        with ThreadPoolExecutor(jobs) as pool:
            for done in as_completed([pool.submit(self._told, key) for key in wanted]):
                if line := done.result():
                    yield line
        if self.left:
            yield f"{self.left} fits are left for the next run: the time is up"

    def expected(self, key: Key) -> float:
        """Seconds of a fit's process: what another seed took, or a guess by the rows."""
        name, _, contender = key
        if (name, contender) in self._took:
            return self._took[name, contender]
        rows = min(SETS[name].rows, self.conditions.rows or SETS[name].rows)
        return STARTUP + rows / 1000 * CONTENDERS[contender].pace

    def _told(self, key: Key) -> str | None:
        """Run a fit and keep its result; what to say of it, None where time was too short."""
        name, seed, contender = key
        what = f"{name}, seed {seed}, {CONTENDERS[contender].title}"
        left = self.conditions.timeout
        if self.end is not None:
            left = min(left, self.end - time.perf_counter())
            if left < self.expected(key):
                with self._lock:
                    self.left += 1
                return None
        try:
            found = self._measured(key, left)
        except NotMeasured as reason:
            return f"{what}: not measured, {reason}"
        found |= {"set": name, "seed": seed, "contender": contender, **self.conditions.told()}
        with self._lock:
            self.results[key] = found
            self._learn(name, contender, found)
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            with open(self.kept, "a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
        return f"{what}: error {found['error']:.4f}, {found['seconds']:.1f} s"

    def _learn(self, name: str, contender: str, found: dict[str, Any]) -> None:
        took = STARTUP + 1.2 * (found["seconds"] + found["predict_seconds"])
        self._took[name, contender] = max(took, self._took.get((name, contender), 0.0))

    def _measured(self, key: Key, seconds: float) -> dict[str, Any]:
        name, seed, contender = key
        one = self.conditions
        command = [_python_for(contender, one.peer_python), "-m", "benchmarks.tables.worker"]
        command += [name, contender, str(seed), str(one.rows or 0), str(one.data)]
        environment = os.environ | {"OMP_NUM_THREADS": str(one.threads)}
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=seconds,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            raise NotMeasured(f"more than {seconds:.0f} s") from None
        if done.returncode:
            raise NotMeasured((done.stderr.strip().splitlines() or ["no word why"])[-1])
        return json.loads(done.stdout.strip().splitlines()[-1])


class NotMeasured(Exception):
    """Why a contender could not be run."""


def _python_for(contender: str, peer_python: str | None) -> str:
    needs = CONTENDERS[contender].needs
    if needs is None or importlib.util.find_spec(needs) is not None:
        return sys.executable
    if peer_python is None:
        raise NotMeasured(f"{needs} is not installed")
    return peer_python
