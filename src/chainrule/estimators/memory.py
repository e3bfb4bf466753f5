"""What one run of training hands on to the next: ``warm_start`` and ``partial_fit``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.training import History, Trainer


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
    best, best_theta, no_improvement
        The best loss or score so far, where it was, epochs in a row that were not better.
    scored : bool
        Whether ``best`` is a score.
    """

    rule: str
    slots: tuple[np.ndarray, ...]
    step: int
    schedule: dict[str, Any]
    rows_seen: int
    best: float
    best_theta: np.ndarray
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
            watch.best_theta,
            watch.no_improvement,
            watch.score,
        )

    def hand_on(self, trainer: Trainer, *, update_rule: bool) -> None:
        """Let ``trainer`` go on from here; ``update_rule``: with the rule's memory, too."""
        trainer.rows_seen = self.rows_seen
        if self.scored == trainer.watch.score:
            trainer.watch.best = self.best
            trainer.watch.no_improvement = self.no_improvement
            trainer.watch.best_theta[...] = self.best_theta
        if update_rule and self.rule == trainer.rule.kind:
            trainer.state.step = self.step
            trainer.memory = dict(self.schedule)
            for mine, theirs in zip(trainer.slots, self.slots, strict=True):
                mine[...] = theirs


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
