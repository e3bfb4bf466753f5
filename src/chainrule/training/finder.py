"""The learning-rate finder: a short run at growing rates (Smith 2017, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.errors import NumericalError, OptionError
from chainrule.training.objective import Objective
from chainrule.training.schedules import Exponential
from chainrule.training.trainer import Trainer
from chainrule.training.updates import Update, make_update

SMOOTHING = 0.9
TOO_HIGH = 4.0  # times the least smoothed loss: beyond it there is nothing left to see


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
        A tenth of the rate at which the smoothed loss is least: there it still falls, and
        some way from where it explodes. (Where it falls fastest is lost in noise at low rates.)
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float

    def __repr__(self) -> str:
        return (
            f"RateFinder: {len(self.rates)} rates from {self.rates[0]:.2g} to "
            f"{self.rates[-1]:.2g}, suggestion {self.suggestion:.2g}"
        )


def find_learning_rate(
    objective: Objective,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    theta0: np.ndarray,
    update: Update | str = "adam",
    smallest: float = 1e-6,
    largest: float = 10.0,
    batches: int = 100,
    **trainer_options: Any,
) -> RateFinder:
    """Train ``batches`` batches while the rate grows from ``smallest`` to ``largest``.

    Stops early when the smoothed loss exceeds four times its least value, or is not finite.
    ``theta0`` and the caller's own training are left alone. ``trainer_options`` are those of
    ``Trainer``: ``batch_size``, ``seed``, ``clip_norm``, …

    Raises
    ------
    NumericalError
        When the loss is not finite from the first batches on.
    """
    if not 0 < smallest < largest:
        raise OptionError(f"expected 0 < smallest < largest, got {smallest!r} and {largest!r}")
    if batches < 10:
        raise OptionError(f"batches must be an integer ≥ 10, got {batches!r}")
    trainer = Trainer(
        objective,
        X,
        y,
        sample_weight,
        theta0=theta0,
        update=replace(make_update(update), learning_rate=smallest),
        **trainer_options,
    )
    growth = (largest / smallest) ** (1 / (batches - 1))
    trainer.schedule = Exponential(growth)
    losses = _losses(trainer, batches)
    rates = smallest * growth ** np.arange(len(losses))
    smoothed = running_mean(losses)
    return RateFinder(rates, losses, smoothed, float(rates[np.argmin(smoothed)] / 10))


def _losses(trainer: Trainer, batches: int) -> np.ndarray:
    """The losses up to where they explode."""
    losses: list[float] = []
    while len(losses) < batches:
        try:
            losses.extend(trainer.run(1))
        except NumericalError:
            if len(losses) < 10:
                raise
            break
        smoothed = running_mean(np.array(losses))
        if len(losses) >= 10 and smoothed[-1] > TOO_HIGH * smoothed.min():
            break
    return np.array(losses)


def running_mean(values: np.ndarray) -> np.ndarray:
    """s ← 0.9 s + 0.1 v from 0, divided by 1 − 0.9ᵗ."""
    means, mean = np.empty(len(values)), 0.0
    for i, value in enumerate(values):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        means[i] = mean / (1 - SMOOTHING ** (i + 1))
    return means
