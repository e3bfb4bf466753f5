"""Which epoch was the best, and whether training still gets anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import OptionError


@dataclass
class Watch:
    """Follows the loss (lower is better) or, with a validation, the score (greater is better).

    An epoch counts as an improvement when it is better than the best by ``tol``; scikit-learn's
    rule, in which a loss equal to best − ``tol`` and a score equal to best + ``tol`` do count.

    Attributes
    ----------
    best : float
        The best value so far, infinitely bad before the first.
    best_epoch : int
        Its epoch; 0 before the first.
    best_theta : ndarray
        The parameters at its end; followed only with a score. A loss over an epoch's batches is
        measured while the parameters move, so the last ones are as good as any.
    no_improvement : int
        Epochs in a row without improvement.
    """

    best_theta: np.ndarray
    score: bool = False
    tol: float = 1e-4
    n_iter_no_change: int | None = None
    ties: str = "first"
    best: float = math.nan
    best_epoch: int = 0
    no_improvement: int = 0

    def __post_init__(self) -> None:
        if self.ties not in ("first", "last"):
            raise OptionError(f"ties must be 'first' or 'last', got {self.ties!r}")
        self.best = -math.inf if self.score else math.inf

    def see(self, value: float, epoch: int, theta: np.ndarray) -> None:
        """Take note of an epoch."""
        gain = value - self.best if self.score else self.best - value
        worse = value < self.best + self.tol if self.score else value > self.best - self.tol
        self.no_improvement = self.no_improvement + 1 if worse else 0
        if gain > 0 or (self.ties == "last" and value == self.best):
            self.best, self.best_epoch = value, epoch
            if self.score:
                self.best_theta[...] = theta

    @property
    def at_least_left(self) -> int | None:
        """So many epochs, the last of them included, will pass before it can be ``stalled``."""
        if self.n_iter_no_change is None:
            return None
        return max(self.n_iter_no_change + 1 - self.no_improvement, 1)

    @property
    def stalled(self) -> bool:
        """Whether more than ``n_iter_no_change`` epochs in a row brought nothing."""
        return self.n_iter_no_change is not None and self.no_improvement > self.n_iter_no_change

    def numbers(self) -> dict[str, Any]:
        """Its state without the parameters: numbers that JSON can hold."""
        best = self.best if math.isfinite(self.best) else None
        return {"best": best, "best_epoch": self.best_epoch, "no_improvement": self.no_improvement}

    def restore(self, numbers: dict[str, Any], best_theta: np.ndarray) -> None:
        """What ``numbers`` told, put back."""
        worst = -math.inf if self.score else math.inf
        self.best = worst if numbers["best"] is None else float(numbers["best"])
        for name in ("best_epoch", "no_improvement"):
            if type(numbers[name]) is not int or numbers[name] < 0:
                raise OptionError(f"state {name!r}: expected an integer ≥ 0, got {numbers[name]!r}")
            setattr(self, name, numbers[name])
        self.best_theta[...] = best_theta
