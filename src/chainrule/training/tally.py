"""What an epoch's row of the history is made of, added up over its batches."""

from __future__ import annotations

import numpy as np

from chainrule.engine.batches import BatchReport
from chainrule.training.recipe import Recipe

TALLIED = 4
"""Σ size · loss, Σ size, Σ gradient norm, batches."""


def columns(
    report: BatchReport, recipe: Recipe, rows: int, first: int, begin: int = 0
) -> np.ndarray:
    """Batch by batch from ``begin`` on: size · loss, size, gradient norm, 1.

    A batch's size is its sum of weights; where the penalty is divided by that, as in scikit-learn,
    its number of rows. ``first`` is the number of the report's first batch since the start.

    Losses near the largest number there is add up to infinity, which is no reason to warn: a batch
    or two later they are not finite themselves, and that is told.
    """
    part = slice(begin, report.n_done)
    table = np.ones((TALLIED, report.n_done - begin))
    table[1] = report.weights[part]
    if recipe.penalty_by_weight:
        per_epoch = recipe.batches_per_epoch(rows)
        table[1] = min(recipe.batch_size, rows)
        last = per_epoch - 1 - (first + begin) % per_epoch
        table[1, last::per_epoch] = recipe.rows_in(per_epoch, rows) - recipe.rows_in(
            per_epoch - 1, rows
        )
    table[2] = report.gradient_norms[part]
    with np.errstate(over="ignore"):
        table[0] = table[1] * (report.losses[part] + report.penalties[part])
    return table


def added(tally: np.ndarray, table: np.ndarray) -> np.ndarray:
    """``tally`` and the sums along ``table``'s batches."""
    with np.errstate(over="ignore"):  # as in ``columns``
        return tally + table.sum(axis=-1)


def means(tallies: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean loss and mean gradient norm of epochs whose tallies stand side by side."""
    losses, sizes, norms, batches = tallies
    mean = np.divide(losses, sizes, out=np.zeros_like(losses), where=sizes != 0)
    return mean.tolist(), (norms / batches).tolist()
