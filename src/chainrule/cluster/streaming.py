"""Pieces that are read in this process, one after the other: what is trained on may be larger
than memory.

What fits into the memory that is allowed is kept; the rest is read again in every pass, the next
piece while the engine works on this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from chainrule.cluster.ahead import ahead
from chainrule.cluster.progress import Told
from chainrule.cluster.sources import Load, named
from chainrule.cluster.windows import WindowedBackend
from chainrule.estimators.pieces import Piece, Pieces
from chainrule.training import Objective, Partitions, Sums
from chainrule.training.partitions import Work, not_finite
from chainrule.training.rows import Rows, bind_rows
from chainrule.training.sums import Place, join

Prepare = Callable[[Piece], tuple[Any, np.ndarray, Any]]


class StreamedPieces(Pieces):
    """Loads that are read here.

    Parameters
    ----------
    loads : sequence of Load
    memory : int
        Bytes that prepared rows may take.
    """

    def __init__(self, loads: Sequence[Load], memory: int, told: Told) -> None:
        self.loads = list(loads)
        self.memory = memory
        self.told = told

    def each(self, ask: Callable[[Piece], Any]) -> list[Any]:
        """``ask(piece)`` of every piece, in order."""

        def answer(number: int) -> Any:
            piece = self.loads[number].piece(number)
            with named(self.loads[number].where):
                return ask(piece)

        return list(ahead(answer, range(len(self.loads))))

    def rows(self, prepare: Prepare, objective: Objective) -> StreamedRows:
        """Rows that are prepared as they are read."""
        return StreamedRows(self.loads, prepare, objective, self.memory, self.told)

    def only(self, numbers: Sequence[int]) -> Self:
        """These pieces alone."""
        return type(self)([self.loads[number] for number in numbers], self.memory, self.told)


class StreamedRows(Partitions):
    """Prepared rows of loads, read when they are needed; a partition is a load."""

    def __init__(
        self, loads: Sequence[Load], prepare: Prepare, objective: Objective, memory: int, told: Told
    ) -> None:
        self.loads = list(loads)
        self.prepare = prepare
        self.graph = objective.rows
        self.memory = memory
        self.told = told
        self._kept: dict[int, Rows] = {}
        self._bytes = 0
        self.counts, self.weights, self.row_bytes = [], 0.0, 1
        for number, rows in self.each():
            self.counts.append(rows.count)
            self.weights += rows.total_weight()
            self.row_bytes = max(self.row_bytes, -(-bytes_of(rows, _bytes) // rows.count))
            self._columns = next(iter(rows.inputs.values())).shape[1:]
            self.keep(number, rows)
        self.count = sum(self.counts)

    @property
    def partitions(self) -> int:
        """How many loads there are."""
        return len(self.loads)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the first input."""
        return self.count, *self._columns

    def total_weight(self) -> float:
        """Σ w."""
        return self.weights

    def read(self, number: int) -> Rows:
        """The rows of a load, from memory where they are kept."""
        if number in self._kept:
            return self._kept[number]
        piece = self.loads[number].piece(number)
        with named(self.loads[number].where):
            inputs, y, weight = self.prepare(piece)
            return bind_rows(self.graph, inputs, y, weight)

    def each(self, numbers: Iterable[int] | None = None) -> Iterator[tuple[int, Rows]]:
        """(number, rows) of every load, the next read meanwhile."""
        numbers = range(len(self.loads)) if numbers is None else list(numbers)
        return zip(numbers, ahead(self.read, numbers), strict=True)

    def keep(self, number: int, rows: Rows) -> None:
        """Keep the rows of a load where half of the allowed memory holds them."""
        size = bytes_of(rows, _own_bytes)
        if self._bytes + size <= self.memory // 2:
            self._kept[number] = rows
            self._bytes += size

    def add_up(self, objective: Objective, work: Work) -> Sums:
        """The sums of ``work`` over all loads; at any time one node a level is held."""
        nodes: dict[Place, Sums] = {}
        for number, rows in self.each():
            nodes = join(nodes | {(0, number): work.of(objective, rows, number)}, len(self.loads))
            self.told(rows.count)
        (root,) = nodes.values()
        return root

    def backend(self, objective: Objective, dtype: Any) -> Any:
        """Mini-batches window by window."""
        return WindowedBackend(objective.backend(dtype))

    def wrong(self, objective: Objective, theta: np.ndarray) -> Rows:
        """The first load whose loss or gradient at θ is not finite."""
        for _, rows in self.each():
            if not_finite(objective, theta, rows):
                return rows
        return self.read(0)

    def describe(self) -> Mapping[str, str]:
        """What a checkpoint compares."""
        return {"partitions": " ".join(map(str, self.counts))}


def bytes_of(rows: Rows, of_array: Callable[[Any], int]) -> int:
    """What the arrays of ``rows`` take."""
    arrays = [*rows.inputs.values(), rows.y, rows.weight]
    return sum(of_array(one) for one in arrays if one is not None)


def _bytes(array: Any) -> int:
    if hasattr(array, "tocsr"):
        return array.data.nbytes + array.indices.nbytes + array.indptr.nbytes
    return array.nbytes


def _own_bytes(array: Any) -> int:
    """Those that are not a memory-mapped file's."""
    owner = array
    while isinstance(owner, np.ndarray):
        if isinstance(owner, np.memmap):
            return 0
        owner = owner.base
    return _bytes(array)
