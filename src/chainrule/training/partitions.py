"""Rows in partitions: sums over each, added in the order of ``sums.join``; and batches of them.

What is to be summed is a ``Work``: plain data that a partition is asked with, wherever it lies. A
batch takes from every partition its share, so that all of them work on every step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.engine import BatchReport, Shuffle, UpdateState
from chainrule.errors import DataError, OptionError
from chainrule.training.descent import descend
from chainrule.training.dropout import draw_mask
from chainrule.training.numpy_backend import NumpyBackend, Order, refuse_not_finite
from chainrule.training.recipe import Recipe
from chainrule.training.rows import PartitionedRows, Rows
from chainrule.training.shuffling import permutation
from chainrule.training.sums import Sums, total

if TYPE_CHECKING:
    from chainrule.training.objective import Objective


class Work(ABC):
    """Sums over a partition's rows, as plain data that travels."""

    @abstractmethod
    def of(self, objective: Objective, rows: Rows, partition: int) -> Sums:
        """The sums over what it wants of these rows, those of partition ``partition``."""


@dataclass(frozen=True)
class AllRows(Work):
    """Loss and gradient at θ over all rows."""

    theta: np.ndarray
    n_threads: int | None = None

    def of(self, objective: Objective, rows: Rows, partition: int) -> Sums:
        backend = objective.backend(self.theta.dtype)
        return Sums(*backend.sums(self.theta, rows, self.n_threads))


@dataclass(frozen=True)
class OneBatch(Work):
    """Loss and gradient at θ over a partition's share of batch ``batch`` of ``batches``.

    Of n rows these are the rows at positions [⌊batch · n / batches⌋, ⌊(batch + 1) · n / batches⌋)
    of the partition's own order, which is that of stream epoch · partitions + partition.
    """

    theta: np.ndarray
    batch: int
    batches: int
    epoch: int
    partitions: int
    shuffle_seed: int | None
    dropout_seed: int | None
    step: int
    level: float
    check_finite: bool
    n_threads: int | None = None

    def of(self, objective: Objective, rows: Rows, partition: int) -> Sums:
        start, stop = (k * rows.count // self.batches for k in (self.batch, self.batch + 1))
        where: Any = slice(start, stop)
        if self.shuffle_seed is not None:
            stream = self.epoch * self.partitions + partition
            where = permutation(rows.count, self.shuffle_seed, stream, start, stop)
        batch = rows.take(where)
        if not batch.count:
            return Sums(0.0, 0.0, np.zeros(self.theta.size))
        if self.check_finite:
            refuse_not_finite(batch.inputs)
        if self.dropout_seed is None:
            return AllRows(self.theta, self.n_threads).of(objective, batch, partition)
        step = self.step * self.partitions + partition
        dtype = self.theta.dtype
        masks = {
            node: draw_mask(node, batch.count, self.dropout_seed, step, dtype, self.level)
            for node in objective.rows.masks
        }
        return Sums(*objective.numpy_backend(dtype).masked_sums(self.theta, batch, masks))


class Partitions(PartitionedRows):
    """Rows in partitions, wherever they lie; a subclass says how to add up over them."""

    n_threads: int | None = None
    """Of the engine, on each partition."""

    @abstractmethod
    def add_up(self, objective: Objective, work: Work) -> Sums:
        """The sums of ``work`` over all partitions, added as ``sums.join`` does."""

    @property
    @abstractmethod
    def partitions(self) -> int:
        """How many there are."""

    def sums(self, objective: Objective, theta: np.ndarray) -> Sums:
        """Σ w·loss, Σ w, Σ w·gradient over all rows."""
        return self.add_up(objective, AllRows(theta, self.n_threads))

    def backend(self, objective: Objective, dtype: Any) -> PartitionedBackend:
        """What makes the steps of mini-batch training."""
        return PartitionedBackend(objective, np.dtype(dtype))


class PartitionedBackend:
    """Synchronous steps: the sums of a batch over all partitions, then one update of θ here."""

    def __init__(self, objective: Objective, dtype: np.dtype) -> None:
        self.objective = objective
        self.numpy: NumpyBackend = objective.numpy_backend(dtype)

    def run_batches(
        self,
        theta: np.ndarray,
        state: UpdateState,
        rows: Partitions,
        recipe: Recipe,
        *,
        rates: np.ndarray,
        decay: np.ndarray | None = None,
        dropout: np.ndarray | None = None,
        after_epochs: np.ndarray | None = None,
        first_batch: int,
        order: Order,
        stop: np.ndarray,
    ) -> BatchReport:
        """One batch for each of ``rates``: θ and ``state`` are changed in place."""
        seed = shuffle_seed(order)
        batches = recipe.batches_per_epoch(rows.count)

        def sums(number: int, level: float) -> Sums:
            epoch, batch = divmod(number, batches)
            work = OneBatch(
                theta.copy(), batch, batches, epoch, rows.partitions, seed,
                recipe.dropout_seed, number, level, recipe.check_finite, recipe.n_threads,
            )  # fmt: skip
            return rows.add_up(self.objective, work)

        return descend(
            self.numpy, theta, state, recipe, sums,
            rates=rates, decay=decay, dropout=dropout, first_batch=first_batch, stop=stop,
            per_epoch=batches, after_epochs=after_epochs,
        )  # fmt: skip


def shuffle_seed(order: Order) -> int | None:
    """The seed of ``order``; None: rows as they stand.

    Raises
    ------
    OptionError
        For an order of one's own, which nobody holds for rows in partitions.
    """
    if isinstance(order, np.ndarray):
        raise OptionError(
            "order: expected none for rows in partitions, which have orders of their own; came "
            "row numbers. Use shuffle=True."
        )
    return order.seed if isinstance(order, Shuffle) else None


class InMemory(Partitions):
    """Partitions in this process: the definition that all others are equal to.

    Parameters
    ----------
    parts : sequence of Rows
        As ``bind_rows`` gives them; at least one.
    """

    def __init__(self, parts: Sequence[Rows]) -> None:
        if not parts:
            raise DataError("partitions: expected at least one with rows; came none")
        self.parts = list(parts)
        self.count = sum(part.count for part in parts)

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self.parts)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the first input."""
        return self.count, *next(iter(self.parts[0].inputs.values())).shape[1:]

    def total_weight(self) -> float:
        """Σ w."""
        return sum(part.total_weight() for part in self.parts)

    def add_up(self, objective: Objective, work: Work) -> Sums:
        """The sums of ``work`` over all partitions."""
        nodes = {(0, i): work.of(objective, part, i) for i, part in enumerate(self.parts)}
        return total(nodes, len(self.parts))

    def wrong(self, objective: Objective, theta: np.ndarray) -> Rows:
        """The first partition whose loss or gradient at θ is not finite."""
        wrong = partial(not_finite, objective, theta)
        return next((part for part in self.parts if wrong(part)), self.parts[0])

    def describe(self) -> Mapping[str, str]:
        """What a checkpoint compares."""
        return {"partitions": " ".join(str(part.count) for part in self.parts)}


def not_finite(objective: Objective, theta: np.ndarray, rows: Rows) -> bool:
    """Whether loss or gradient over ``rows`` is NaN or infinite."""
    sums = AllRows(theta).of(objective, rows, 0)
    return not (np.isfinite(sums.loss) and np.all(np.isfinite(sums.gradient)))
