"""What one run of training hands on to the next: ``warm_start`` and ``partial_fit``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import FileFormatError
from chainrule.training import UPDATES, History, Trainer

PREFIX = "memory "
NUMBERS = ("rule", "step", "schedule", "rows_seen", "best", "no_improvement", "scored")
"""What a model file holds of a ``Memory`` besides arrays."""


@dataclass(frozen=True)
class Memory:
    """What one run hands on to the next.

    Attributes
    ----------
    rule : str
        The update rule's name.
    slots, step
        What the update rule remembers, and how many updates it has made.
    schedule : dict
        What the schedule remembers.
    rows_seen : int
        scikit-learn's ``t_``.
    best, no_improvement
        The best loss or score so far, epochs in a row that were not better.
    scored : bool
        Whether ``best`` is a score.
    """

    rule: str
    slots: tuple[np.ndarray, ...]
    step: int
    schedule: dict[str, Any]
    rows_seen: int
    best: float
    no_improvement: int
    scored: bool

    @classmethod
    def of(cls, trainer: Trainer) -> Memory:
        """What ``trainer`` knows now."""
        watch = trainer.watch
        return cls(
            trainer.rule.kind,
            trainer.slots,
            trainer.step,
            dict(trainer.memory),
            trainer.rows_seen,
            watch.best,
            watch.no_improvement,
            watch.score,
        )

    def to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays by name and numbers by name."""
        slots = zip(UPDATES[self.rule].slots, self.slots, strict=True)
        arrays = {f"{PREFIX}{name}": slot for name, slot in slots}
        return arrays, {name: getattr(self, name) for name in NUMBERS}

    @classmethod
    def from_file(
        cls, arrays: dict[str, np.ndarray], numbers: dict[str, Any], theta: np.ndarray
    ) -> Memory:
        """What ``to_file`` gave, of a network whose parameters are ``theta``.

        Raises
        ------
        FileFormatError
            When it is not of this network.
        """
        if numbers.keys() != set(NUMBERS) or numbers["rule"] not in UPDATES:
            raise FileFormatError(f"training state of {sorted(numbers)}; known are {NUMBERS}")
        slots = [f"{PREFIX}{name}" for name in UPDATES[numbers["rule"]].slots]
        if arrays.keys() != set(slots):
            raise FileFormatError(f"training state in {sorted(arrays)}; expected {slots}")
        for name, array in arrays.items():
            if array.shape != theta.shape or array.dtype != theta.dtype:
                raise FileFormatError(
                    f"{name}: {array.dtype} of shape {array.shape} for {theta.size} parameters "
                    f"of {theta.dtype}"
                )
        _check_numbers(numbers)
        return cls(slots=tuple(arrays[name] for name in slots), **numbers)

    def hand_on(self, trainer: Trainer, *, update_rule: bool) -> None:
        """Let ``trainer`` go on from here; ``update_rule``: with the rule's memory, too."""
        trainer.rows_seen = self.rows_seen
        if self.scored == trainer.watch.score:
            trainer.watch.best = self.best
            trainer.watch.no_improvement = self.no_improvement
        if update_rule and self.rule == trainer.rule.kind:
            trainer.state.step = self.step
            trainer.memory = dict(self.schedule)
            for mine, theirs in zip(trainer.slots, self.slots, strict=True):
                mine[...] = theirs


def _check_numbers(numbers: dict[str, Any]) -> None:
    for name in ("step", "rows_seen", "no_improvement"):
        if type(numbers[name]) is not int or not 0 <= numbers[name] < 1 << 53:
            raise FileFormatError(f"training state, {name}: expected a count; came a stranger")
    schedule = numbers["schedule"]
    if not isinstance(schedule, dict) or type(numbers["scored"]) is not bool:
        raise FileFormatError("training state, schedule and scored: expected numbers and a flag")
    for value in (numbers["best"], *schedule.values()):
        if type(value) not in (int, float, type(None)):
            raise FileFormatError("training state: expected numbers; came a stranger")


def joined_history(earlier: History | None, new: History) -> History:
    """The epochs of the runs before, then the new ones; counted and timed on."""
    if earlier is None or not len(earlier):
        return new
    joined = History(earlier.to_dict())
    last = earlier[-1]
    for row in new:
        row["epoch"] += last["epoch"]
        row["seconds"] += last["seconds"]
        joined.append(**row)
    return joined
