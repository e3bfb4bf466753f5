"""The learning-rate finder: a short run at growing rates (Smith 2017, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.training.objective import Objective


@dataclass(frozen=True)
class RateFinder:
    """Loss against learning rate, and the rate to start with.

    Attributes
    ----------
    rates : ndarray
        The rate of each batch, growing by a constant factor.
    losses : ndarray
        The loss of each batch, before its update.
    smoothed : ndarray
        Running mean of the losses.
    suggestion : float
        The rate at which the smoothed loss falls fastest.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float


def find_learning_rate(
    objective: Objective,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    theta0: np.ndarray,
    smallest: float = 1e-6,
    largest: float = 10.0,
    batches: int = 100,
    **trainer_options: Any,
) -> RateFinder:
    """Train ``batches`` batches while the rate grows from ``smallest`` to ``largest``.

    Stops early when the smoothed loss exceeds four times its least value. ``theta0`` and the
    caller's own training are left alone. ``trainer_options`` are those of ``Trainer``: ``update``,
    ``batch_size``, ``seed``, …
    """
    raise NotImplementedError
