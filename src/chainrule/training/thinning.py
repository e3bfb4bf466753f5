"""A bounded memory of something that goes on for ever: fewer records the longer it lasts."""

from __future__ import annotations

from bisect import bisect_right
from typing import Generic, TypeVar

from chainrule.errors import OptionError, describe

Record = TypeVar("Record")


class Thinned(Generic[Record]):
    """Keeps at most ``limit`` records, evenly over the whole way.

    The way is cut into equal cells, and the first record of each is kept; when there are too many,
    the cells are made twice as long.

    Parameters
    ----------
    limit : int
    cell : float
        How long a cell is at first.

    Attributes
    ----------
    positions : list
        Ascending.
    records : list
    """

    def __init__(self, limit: int, cell: float = 1) -> None:
        if limit < 4:
            raise OptionError(describe("limit", "an integer ≥ 4", limit))
        self.limit = limit
        self.positions: list[float] = []
        self.records: list[Record] = []
        self._cell = cell

    def wants(self, position: float) -> bool:
        """Whether a record here would be the first of its cell."""
        return not self.positions or position // self._cell > self.positions[-1] // self._cell

    def add(self, position: float, record: Record) -> None:
        """Keep this record, the last one on the way so far; thin the others if need be."""
        while len(self.positions) >= self.limit:
            self._thin()
        self.positions.append(position)
        self.records.append(record)

    def cut(self, position: float) -> None:
        """Forget everything after ``position``."""
        count = bisect_right(self.positions, position)
        del self.positions[count:], self.records[count:]

    def _thin(self) -> None:
        self._cell *= 2
        cells = [position // self._cell for position in self.positions]
        kept = [i for i, cell in enumerate(cells) if i == 0 or cell > cells[i - 1]]
        self.positions = [self.positions[i] for i in kept]
        self.records = [self.records[i] for i in kept]
