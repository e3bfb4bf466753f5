"""Losses as scikit-learn reports them, where they are not those that are minimised.

Its squared error is averaged over outputs, though its gradient is that of their sum; its Poisson
loss is half a deviance, with terms of y alone. Training sees neither; what it reports has both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.training import Callback, Objective, Progress


def reported_losses(
    backend: Any, parts: int, constants: np.ndarray | None, weight: np.ndarray | None
) -> Any:
    """``backend`` with the losses of its batches as they are reported; itself where they are."""
    if parts == 1 and constants is None:
        return backend
    return ReportedLosses(backend, parts, constants, weight)


def loss_reporter(
    parts: int, constants: np.ndarray | None, weight: np.ndarray | None
) -> LossReporter | None:
    """The callback that does the same over all rows, where there is something to do."""
    if parts == 1 and constants is None:
        return None
    mean = 0.0 if constants is None else float(np.average(constants, weights=weight))
    return LossReporter(parts, mean)


class ReportedLosses:
    """A backend that reports (loss of a batch) / parts + mean constant, and is otherwise the same.

    Parameters
    ----------
    backend : backend
        The one that trains.
    parts : int
    constants, weight : ndarray of shape (rows,), or None
        Constant and weight of each row; the mean is that of the rows of each batch.
    """

    def __init__(
        self, backend: Any, parts: int, constants: np.ndarray | None, weight: np.ndarray | None
    ) -> None:
        self.backend = backend
        self.parts = parts
        self.constants = constants
        self.weight = weight

    def run_batches(self, theta: Any, state: Any, rows: Any, recipe: Any, **options: Any) -> Any:
        report = self.backend.run_batches(theta, state, rows, recipe, **options)
        losses = report.losses / self.parts
        if self.constants is not None:
            weight = np.ones(rows.count) if self.weight is None else self.weight
            size = min(recipe.batch_size, rows.count)
            means = batch_means(self.constants, weight, size, options["order"], len(losses))
            losses += means
        return replace(report, losses=losses)


def batch_means(
    values: np.ndarray, weight: np.ndarray, size: int, order: np.ndarray | None, batches: int
) -> np.ndarray:
    """Weighted mean of ``values`` over each of so many batches, the first that of an epoch.

    >>> batch_means(np.array([1.0, 3.0, 5.0]), np.ones(3), 2, None, 4)
    array([2., 5., 2., 5.])
    """
    rows = len(values)
    epochs = -(-batches // -(-rows // size))
    visited = (
        np.tile(np.arange(rows), epochs) if order is None else np.ravel(order)[: epochs * rows]
    )
    starts = (np.arange(0, rows, size) + rows * np.arange(epochs)[:, None]).ravel()
    totals = np.add.reduceat(weight[visited], starts)
    sums = np.add.reduceat((weight * values)[visited], starts)
    return np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)[:batches]


class LossReporter(Callback):
    """The same for solvers over all rows: rewrites the loss of each iteration in the history."""

    def __init__(self, parts: int, constant: float) -> None:
        self.parts = parts
        self.constant = constant

    def on_epoch_end(self, progress: Progress) -> None:
        losses = progress.history["loss"]
        losses[-1] = self.reported(progress.objective, progress.theta, losses[-1])

    def reported(self, objective: Objective, theta: np.ndarray, loss: float) -> float:
        """(J − penalty) / parts + penalty + constant."""
        penalty = objective.penalty_and_gradient(theta)[0] if self.parts > 1 else 0.0
        return (loss - penalty) / self.parts + penalty + self.constant
