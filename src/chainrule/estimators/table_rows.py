"""Rows of a table with their targets and weights, as a fit cuts and joins them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.tables import Table
from chainrule.tables.identical import fingerprints, mixed


@dataclass(frozen=True)
class TableRows:
    """Rows of a table, each with its target.

    Attributes
    ----------
    table : Table
    y : ndarray of shape (rows,) or (rows, outputs)
        Numbers of the classes, or values.
    weight : ndarray or None
        None: 1 each.
    """

    table: Table
    y: np.ndarray
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return self.table.rows

    def take(self, where: np.ndarray) -> TableRows:
        """These rows alone."""
        weight = None if self.weight is None else self.weight[where]
        return TableRows(self.table.take(where), self.y[where], weight)

    def weighing(self) -> TableRows:
        """The rows whose weight is not 0."""
        if self.weight is None or self.weight.all():
            return self
        return self.take(np.flatnonzero(self.weight))

    def merged(self) -> TableRows:
        """Equal rows with equal targets as one, whose weight is the sum of theirs.

        In an order of their own, so that the result does not depend on the order they came in.
        """
        marks = fingerprints(self.table)
        for column in np.atleast_2d(self.y.T):
            words = np.ascontiguousarray(column, np.float64).view(np.uint64)
            marks = mixed(marks ^ words)
        _, first, which = np.unique(marks, return_index=True, return_inverse=True)
        weight = np.bincount(which.reshape(-1), weights=self.weight)
        kept = self.take(first)
        whole = bool(np.all(weight == 1))
        return TableRows(kept.table, kept.y, None if whole else weight.astype(np.float64))


def split_off(
    count: int, fraction: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the rows to train on and of those held back: ⌊fraction · count⌋, never one."""
    order = random_state.permutation(count)
    held = int(fraction * count)
    held = held if held >= 2 else 0  # one row has no spread to explain
    return order[held:], order[:held]
