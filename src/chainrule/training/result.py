"""What training comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.training.history import History


@dataclass(frozen=True)
class Result:
    """The parameters found, and how the search went.

    Attributes
    ----------
    theta : ndarray of shape (parameters,)
        In the precision of θ₀. Where a validation was given: those of its best epoch. Else the
        last; where a full-batch solver was interrupted, those of the least loss.
    loss : float
        The objective at ``theta`` (full batch), or its mean over the epoch that ended there.
    n_iter : int
        Iterations or epochs made.
    n_evaluations : int
        Losses and gradients computed, over all rows or over one batch.
    status : str
        Why training ended: "converged", "max_iter", "interrupted", "callback" or "failed"
        (the solver found no way on).
    message : str
        The same in a sentence.
    history : History
    seconds : float
    best_epoch : int or None
        The epoch, from 1, that ``theta`` is of, where a validation was given.
    best_score : float
        Its score; NaN without a validation.
    trainer : Trainer or None
        Mini-batch training: what can go on from here.
    """

    theta: np.ndarray
    loss: float
    n_iter: int
    n_evaluations: int
    status: str
    message: str
    history: History
    seconds: float
    best_epoch: int | None = None
    best_score: float = math.nan
    trainer: Any = None

    @property
    def converged(self) -> bool:
        """Whether training ended because nothing was left to gain."""
        return self.status == "converged"

    def __repr__(self) -> str:
        return (
            f"Result: {self.message} loss {self.loss:.6g} after {self.n_iter} iterations, "
            f"{self.n_evaluations} evaluations, {self.seconds:.3g} s"
        )
