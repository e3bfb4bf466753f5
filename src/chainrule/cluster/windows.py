"""Mini-batches over rows that are streamed: shuffled in windows that fit into memory.

In every epoch the loads come in a new random order. Their rows, one load after the other, are cut
into windows of as many whole batches as memory allows; the rows of a window are shuffled, and the
engine runs over its batches as over any rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from chainrule.cluster.ahead import ahead
from chainrule.cluster.progress import Told
from chainrule.engine import BatchReport, Shuffle, UpdateState
from chainrule.training.backends import Backend
from chainrule.training.numpy_backend import Order
from chainrule.training.partitions import shuffle_seed
from chainrule.training.recipe import Recipe
from chainrule.training.rows import Rows
from chainrule.training.shuffling import permutation

WINDOWS = 4
"""Windows in half of the memory: the one that is run over, the next, and what they are made of."""


class Loads(Protocol):
    """Rows in loads that are read one by one.

    Attributes
    ----------
    told : callable
        Is told how many rows have been worked on.
    counts : list of int
        Rows of each load.
    row_bytes : int
        Bytes of a row, at most.
    memory : int
        Bytes that may be held, half of them in windows.
    """

    told: Told
    counts: list[int]
    row_bytes: int
    memory: int

    @property
    def count(self) -> int:
        """How many rows there are."""
        ...

    def read(self, number: int) -> Rows:
        """The rows of a load."""
        ...


class WindowedBackend:
    """A backend's ``run_batches``, window after window of streamed rows."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def run_batches(
        self,
        theta: np.ndarray,
        state: UpdateState,
        rows: Loads,
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
        """One batch for each of ``rates``: θ and ``state`` are changed in place.

        θ at the end of each epoch that ends here goes into ``after_epochs``, a row each.
        """
        plan = Windows(rows, recipe, shuffle_seed(order))
        reports: list[BatchReport] = []
        done = 0
        for stretch, window in plan.stretches(first_batch, len(rates)):
            part = slice(done, done + stretch.batches)
            own = replace(recipe, dropout_seed=plan.seed(recipe.dropout_seed, stretch))
            seed = plan.seed(plan.shuffle, stretch)
            reports.append(
                self.backend.run_batches(
                    theta,
                    state,
                    window,
                    own,
                    rates=rates[part],
                    decay=None if decay is None else decay[part],
                    dropout=None if dropout is None else dropout[part],
                    first_batch=stretch.first,
                    order=None if seed is None else Shuffle(seed),
                    stop=stop,
                )
            )
            rows.told(min(stretch.batches * plan.batch, window.count))
            done += stretch.batches
            if reports[-1].stopped is not None or reports[-1].n_done < stretch.batches:
                break
            if after_epochs is not None and (first_batch + done) % plan.per_epoch == 0:
                after_epochs[stretch.epoch - first_batch // plan.per_epoch] = theta
        return _joined(reports)


@dataclass(frozen=True)
class Stretch:
    """So many batches of window ``window`` of an epoch, from batch ``first`` of it."""

    epoch: int
    window: int
    first: int
    batches: int


class Windows:
    """How the rows of an epoch are cut: in the order of the loads, ``size`` rows at a time."""

    def __init__(self, rows: Loads, recipe: Recipe, shuffle: int | None) -> None:
        self.rows = rows
        self.shuffle = shuffle
        self.batch = min(recipe.batch_size, rows.count)
        self.per_epoch = recipe.batches_per_epoch(rows.count)
        most = rows.memory // 2 // WINDOWS // rows.row_bytes
        self.batches = max(1, most // self.batch)  # of a window
        self.size = self.batches * self.batch

    def seed(self, seed: int | None, stretch: Stretch) -> int | None:
        """A seed of its own for each window, from one for all."""
        if seed is None:
            return None
        words = np.random.SeedSequence([seed, stretch.epoch, stretch.window])
        return int(words.generate_state(1, np.uint64)[0])

    def stretches(self, first: int, count: int) -> Iterator[tuple[Stretch, Rows]]:
        """What batches [first, first + count) are made of, the next window read meanwhile."""
        planned = []
        while count:
            epoch, batch = divmod(first, self.per_epoch)
            window, start = divmod(batch, self.batches)
            left = min(self.batches - start, self.per_epoch - batch, count)
            planned.append(Stretch(epoch, window, start, left))
            first, count = first + left, count - left
        reader = Reader(self)
        return zip(
            planned, ahead(lambda i: reader.read(planned[i]), range(len(planned))), strict=True
        )

    def loads(self, epoch: int) -> np.ndarray:
        """The loads in the order of an epoch."""
        loads = len(self.rows.counts)
        return np.arange(loads) if self.shuffle is None else permutation(loads, self.shuffle, epoch)


class Reader:
    """Reads windows; keeps the load that the next one begins with."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self._last: tuple[int, Rows] | None = None

    def read(self, stretch: Stretch) -> Rows:
        """The rows of a window."""
        windows, rows = self.windows, self.windows.rows
        start = stretch.window * windows.size
        stop = min(start + windows.size, rows.count)
        parts, at = [], 0
        for load in windows.loads(stretch.epoch).tolist():
            low, high = max(start - at, 0), min(stop - at, rows.counts[load])
            if low < high:
                parts.append(_part(self._load(load), low, high))
            at += rows.counts[load]
            if at >= stop:
                break
        return together(parts)

    def _load(self, number: int) -> Rows:
        if self._last is None or self._last[0] != number:
            self._last = None  # before the next is read
            self._last = number, self.windows.rows.read(number)
        return self._last[1]


def _part(rows: Rows, low: int, high: int) -> Rows:
    where = slice(low, high)
    weight = None if rows.weight is None else rows.weight[where]
    inputs = {name: X[where] for name, X in rows.inputs.items()}
    return Rows(inputs, rows.y[where], weight, high - low)


def together(parts: Sequence[Rows]) -> Rows:
    """Rows below one another, each row in one place of memory."""
    if len(parts) == 1 and all(_lies_row_by_row(X) for X in parts[0].inputs.values()):
        return parts[0]
    inputs = {name: _below([one.inputs[name] for one in parts]) for name in parts[0].inputs}
    weight = None
    if any(one.weight is not None for one in parts):
        weight = np.concatenate(
            [np.ones(one.count) if one.weight is None else one.weight for one in parts]
        )
    count = sum(one.count for one in parts)
    return Rows(inputs, np.concatenate([one.y for one in parts]), weight, count)


def _lies_row_by_row(X: Any) -> bool:
    return hasattr(X, "tocsr") or X.strides[-1] == X.itemsize or X.shape[-1] == 1


def _below(arrays: Sequence[Any]) -> Any:
    if hasattr(arrays[0], "tocsr"):
        return scipy.sparse.vstack(arrays, format="csr")
    rows = sum(len(one) for one in arrays)
    out = np.empty((rows, *arrays[0].shape[1:]), np.result_type(*arrays))
    at = 0
    for one in arrays:
        out[at : at + len(one)] = one
        at += len(one)
    return out


def _joined(reports: Sequence[BatchReport]) -> BatchReport:
    columns = [
        np.concatenate([getattr(one, name) for one in reports])
        for name in ("losses", "weights", "penalties", "gradient_norms")
    ]
    last = reports[-1]
    return BatchReport(
        sum(one.n_done for one in reports), *columns, stopped=last.stopped, parameter=last.parameter
    )
