"""Interleaved timing: every contender once a round, medians over rounds, ratios in one run."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

PAUSE = 0.1
"""Seconds before each contender: another library's threads may still be spinning."""

LEAST = 0.3
"""Seconds of runs without time, and of those timed: a processor needs some to come up to speed."""

Run = Callable[[], float | None]
"""One timed run. A number it returns is how many units of work it did; the time is divided."""


@dataclass(frozen=True)
class Contender:
    """Who does the work: a name, and what prepares a timed run.

    ``needs`` is a module that may be missing; the contender is then not measured.
    """

    name: str
    prepare: Callable[[], Run]
    needs: str | None = None

    @property
    def installed(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None


@dataclass(frozen=True)
class Bar:
    """``ours`` must be ``ratio`` times as fast as the fastest of ``peers``."""

    ratio: float
    peers: Sequence[str]
    ours: str = "chainrule"


@dataclass(frozen=True)
class Limit:
    """``ours`` must reach ``share`` of the arithmetic limit of ``flops`` at the sgemm peak."""

    share: float
    flops: float
    ours: str = "chainrule"


@dataclass(frozen=True)
class Case:
    """One kind of work, done by several contenders, and the bars it must clear."""

    name: str
    unit: str
    contenders: Sequence[Contender]
    bars: Sequence[Bar | Limit] = ()
    rounds: int = 7


@dataclass
class Result:
    """Median seconds per contender, and what became of the bars."""

    case: Case
    seconds: dict[str, float] = field(default_factory=dict)
    spread: dict[str, tuple[float, float]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return not self.missing and all(reached >= bar for _, reached, bar in self.verdicts)


def measure(case: Case, peak: float | None, rounds: int | None = None) -> Result:
    """Time ``case``: every contender once a round, right after untimed runs of its own."""
    result = Result(case)
    result.missing = [one.name for one in case.contenders if not one.installed]
    runs = {one.name: one.prepare() for one in case.contenders if one.installed}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds or case.rounds):
        for name, run in runs.items():
            time.sleep(PAUSE)
            _timed(run)  # not counted: caches, threads and clocks as in a longer piece of work
            samples[name].append(_timed(run))
    for name, times in samples.items():
        result.seconds[name] = statistics.median(times)
        result.spread[name] = (min(times), max(times))
    result.verdicts = [verdict for bar in case.bars if (verdict := _judge(bar, result, peak))]
    return result


def _timed(run: Run) -> float:
    """Seconds a unit of work, in as many runs as fill ``LEAST``."""
    gc.collect()
    start, units = time.perf_counter(), 0.0
    while True:
        units += run() or 1
        passed = time.perf_counter() - start
        if passed >= LEAST:
            return passed / units


def _judge(bar: Bar | Limit, result: Result, peak: float | None) -> tuple[str, float, float] | None:
    ours = result.seconds[bar.ours]
    if isinstance(bar, Limit):
        if peak is None:
            return None
        return f"{bar.ours}: share of the arithmetic limit", bar.flops / peak / ours, bar.share
    peers = {name: result.seconds[name] for name in bar.peers if name in result.seconds}
    if not peers:
        return None
    best = min(peers, key=peers.__getitem__)
    return f"{bar.ours} against {best}", peers[best] / ours, bar.ratio


def sgemm_peak(rounds: int = 9, n: int = 2048) -> float:
    """Flops a second of a large float32 matrix product: the machine's practical peak."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, n, n), dtype=np.float32)
    out = np.empty_like(a)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - start)
    return 2 * n**3 / min(times)
