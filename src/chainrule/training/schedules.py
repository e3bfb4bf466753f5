"""Schedules: how the learning rate, weight decay and dropout change while training goes on.

A schedule gives a factor for every batch; the rate is ``update.learning_rate`` · factor. Most are
functions of where training stands (``Clock``). Two react to how training goes, ``Plateau`` and
``Adaptive``: what they remember is a dictionary of numbers kept by the trainer, so that training
can be stored and continued.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import OptionError
from chainrule.ops.options import Check, number

Memory = dict[str, Any]
SCHEDULES: dict[str, type[Schedule]] = {}
"""Every schedule by name."""


@dataclass(frozen=True)
class Clock:
    """Where training stands at each batch of a stretch: arrays of one entry a batch.

    Attributes
    ----------
    first, count : int
        Batches made before the stretch, and in it.
    per_epoch, rows_per_epoch : int
        Batches and rows of an epoch.
    planned : int
        Batches of the whole training.
    rows_before : int
        Rows trained on before the stretch's first epoch began.
    """

    first: int
    count: int
    per_epoch: int
    rows_per_epoch: int
    planned: int
    rows_before: int

    @cached_property
    def step(self) -> np.ndarray:
        """Batches before this one since training began."""
        return np.arange(self.first, self.first + self.count)

    @cached_property
    def epoch(self) -> np.ndarray:
        """Epochs finished before it."""
        return self.step // self.per_epoch

    @cached_property
    def rows(self) -> np.ndarray:
        """Rows trained on before its epoch began."""
        epochs = self.epoch - self.first // self.per_epoch
        return self.rows_before + epochs * self.rows_per_epoch

    @cached_property
    def progress(self) -> np.ndarray:
        """The share of all planned steps that lies before it, in [0, 1]."""
        return np.minimum(self.step / self.planned, 1.0)


class Schedule(ABC):
    """A factor of the learning rate, of weight decay or of dropout for every batch.

    Attributes
    ----------
    name : str
    reacts : bool
        Whether the factor depends on how training goes.
    reads_progress : bool
        Whether it depends on how long training is to be.
    """

    name: ClassVar[str]
    reacts: ClassVar[bool] = False
    reads_progress: ClassVar[bool] = False
    allowed: ClassVar[dict[str, Check]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        SCHEDULES[cls.name] = cls

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # called for dataclasses
            check = self.allowed.get(field.name, number(least=0))
            object.__setattr__(
                self, field.name, check(f"{self.name}: {field.name}", getattr(self, field.name))
            )

    def fresh_memory(self) -> Memory:
        """What it remembers before the first step: plain numbers."""
        return {}

    def factor(self, clock: Clock, memory: Memory) -> np.ndarray:
        """The factor of each batch."""
        return np.full(clock.count, memory.get("factor", 1.0))

    def epoch_ends(self, memory: Memory, loss: float) -> None:  # noqa: B027
        """Take note of an epoch's loss (of its negated score where there is a validation)."""

    def stalled(self, memory: Memory, rate: float) -> bool:
        """Whether training ends when nothing improves any more; ``Adaptive`` lowers the rate."""
        return True


@dataclass(frozen=True)
class Constant(Schedule):
    """factor = 1."""

    name = "constant"


@dataclass(frozen=True)
class Step(Schedule):
    """factor = drop^⌊epoch / every⌋."""

    name = "step"
    allowed: ClassVar[dict[str, Check]] = {"every": number(least=1)}
    every: int = 30
    drop: float = 0.1

    def factor(self, clock, memory):
        return self.drop ** (clock.epoch // self.every).astype(float)


@dataclass(frozen=True)
class Exponential(Schedule):
    """factor = growth^step, step counted in batches."""

    name = "exponential"
    allowed: ClassVar[dict[str, Check]] = {"growth": number(above=0)}
    growth: float = 0.999

    def factor(self, clock, memory):
        return self.growth ** clock.step.astype(float)


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """factor = 1 / (rows + 1)^power, rows trained on before the epoch; 1 in the first epoch.

    scikit-learn's "invscaling". Rows of an earlier fit count, but not yet in the first epoch of
    a fit that goes on from it with an update rule that starts afresh.
    """

    name = "invscaling"
    power: float = 0.5

    def fresh_memory(self):
        return {"afresh": 1.0}

    def factor(self, clock, memory):
        first = (clock.epoch == 0) & bool(memory.get("afresh", 0.0))
        return np.where(first, 1.0, (clock.rows + 1.0) ** -self.power)

    def epoch_ends(self, memory, loss):
        memory["afresh"] = 0.0


@dataclass(frozen=True)
class Cosine(Schedule):
    """factor = end + (1 − end) · ½ (1 + cos πt), t the progress (Loshchilov, Hutter 2017)."""

    name = "cosine"
    reads_progress = True
    end: float = 0.0

    def factor(self, clock, memory):
        return self.end + (1 - self.end) * 0.5 * (1 + np.cos(np.pi * clock.progress))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """factor rises by a cosine from ``start`` to 1 in ``warmup`` of the run, then falls to ``end``.

    Smith, Topin (2018); both legs are half cosines.
    """

    name = "one-cycle"
    reads_progress = True
    allowed: ClassVar[dict[str, Check]] = {"warmup": number(above=0, below=1)}
    warmup: float = 0.3
    start: float = 0.04
    end: float = 4e-6

    def factor(self, clock, memory):
        t = clock.progress
        rise = self.start + (1 - self.start) * 0.5 * (1 - np.cos(np.pi * t / self.warmup))
        down = np.clip((t - self.warmup) / (1 - self.warmup), 0, 1)
        fall = self.end + (1 - self.end) * 0.5 * (1 + np.cos(np.pi * down))
        return np.where(t < self.warmup, rise, fall)


@dataclass(frozen=True)
class CosLog(Schedule):
    """factor = ½ (1 − cos(2π log₂(1 + (2ᵏ − 1) t))): k cycles, each twice as long as the last.

    With k = 4 it is "coslog4" of RealMLP (Holzmüller, Grinsztajn, Steinwart 2024).
    """

    name = "coslog4"
    reads_progress = True
    allowed: ClassVar[dict[str, Check]] = {"cycles": number(least=1)}
    cycles: int = 4

    def factor(self, clock, memory):
        t = clock.progress
        return 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + (2.0**self.cycles - 1) * t)))


@dataclass(frozen=True)
class FlatCosine(Schedule):
    """factor = 1 up to t = ``flat``, then ½ (1 + cos π (t − flat) / (1 − flat)) down to 0."""

    name = "flat_cos"
    reads_progress = True
    allowed: ClassVar[dict[str, Check]] = {"flat": number(least=0, below=1)}
    flat: float = 0.5

    def factor(self, clock, memory):
        down = np.clip((clock.progress - self.flat) / (1 - self.flat), 0, 1)
        return 0.5 * (1 + np.cos(np.pi * down))


@dataclass(frozen=True)
class Plateau(Schedule):
    """factor ← drop · factor after ``patience`` epochs in a row without a new best loss.

    A loss is a new best when it is below the best by more than ``tol``. The factor does not fall
    below ``least``.
    """

    name = "plateau"
    reacts = True
    allowed: ClassVar[dict[str, Check]] = {
        "drop": number(above=0, below=1),
        "patience": number(least=1),
    }
    drop: float = 0.1
    patience: int = 10
    tol: float = 1e-4
    least: float = 0.0

    def fresh_memory(self):
        return {"factor": 1.0, "best": None, "waited": 0}

    def epoch_ends(self, memory, loss):
        best = memory["best"]
        if best is None or loss < best - self.tol:
            memory.update(best=loss, waited=0)
            return
        memory["waited"] += 1
        if memory["waited"] >= self.patience:
            memory.update(factor=max(self.least, self.drop * memory["factor"]), waited=0)


@dataclass(frozen=True)
class Adaptive(Schedule):
    """factor ← factor / 5 whenever training would have stopped; it stops at rates ≤ 1e-6.

    scikit-learn's "adaptive": the trainer's ``tol`` and ``n_iter_no_change`` say when.
    """

    name = "adaptive"
    reacts = True
    divisor: float = 5.0
    least_rate: float = 1e-6

    def fresh_memory(self):
        return {"factor": 1.0}

    def stalled(self, memory, rate):
        if rate <= self.least_rate:
            return True
        memory["factor"] /= self.divisor
        return False


def make_schedule(schedule: str | Schedule) -> Schedule:
    """The schedule given, or the one of that name with its default options.

    Raises
    ------
    OptionError
        When there is no such schedule.
    """
    if isinstance(schedule, Schedule):
        return schedule
    if schedule not in SCHEDULES:
        raise OptionError(f"schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}")
    return SCHEDULES[schedule]()


def of_progress(option: str, schedule: str | Schedule) -> Schedule:
    """``make_schedule``, of those that look at nothing but where training stands.

    Raises
    ------
    OptionError
        When there is no such schedule, or it reacts to how training goes or leaves [0, 1].
    """
    made = make_schedule(schedule)
    if made.reacts or (isinstance(made, Exponential) and made.growth > 1):
        raise OptionError(
            f"{option} must be a schedule of progress within [0, 1], got {schedule!r}"
        )
    return made
