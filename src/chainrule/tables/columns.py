"""One column of a table, the same whatever it came from; and tables of such columns.

A column is stored in one of six ways:

    number   float64 with NaN for missing, or whole numbers of 64 bits
    time     datetime64[us] in UTC, NaT for missing
    text     what a frame says is text: codes into ``levels``, −1 for missing
    mixed    like text, from objects of several kinds
    bool     codes into ("False", "True"), −1 for missing
    cells    what a file says: like text, but it may mean numbers or dates as well
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from chainrule.errors import DataError, describe

__all__ = ["Coder", "Column", "Storage", "Table", "recoded", "shortened"]

Storage = Literal["number", "time", "text", "mixed", "bool", "cells"]
STORAGES: tuple[str, ...] = get_args(Storage)
CODED = ("text", "mixed", "bool", "cells")
BOOL_LEVELS = ("False", "True")

WORDS = {
    "number": "numbers",
    "time": "dates or times",
    "text": "text",
    "mixed": "values of several kinds",
    "bool": "True and False",
    "cells": "cells of a file",
}
"""How a message calls what is stored."""


@dataclass(frozen=True, eq=False)
class Column:
    """Values of one column, in one of the ways listed above.

    Attributes
    ----------
    name : str
    storage : {"number", "time", "text", "mixed", "bool", "cells"}
    values : ndarray of shape (rows,)
        Numbers, times, or int32 codes into ``levels``.
    levels : tuple of str
        The different texts; empty for numbers and times.
    lines : ndarray of int or None
        The line of the file that each row ends in.
    first_row : int
        How many rows came before this chunk.
    """

    name: str
    storage: Storage
    values: np.ndarray
    levels: tuple[str, ...] = ()
    lines: np.ndarray | None = None
    first_row: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> np.ndarray:
        """Where a value is missing, as booleans."""
        if self.storage in CODED:
            return self.values < 0
        if self.values.dtype.kind == "M":
            return np.isnat(self.values)
        if self.values.dtype.kind == "f":
            return np.isnan(self.values)
        return np.zeros(len(self.values), dtype=bool)

    def take(self, rows: Any) -> Column:
        """The column of these rows (indices, booleans or a slice)."""
        lines = None if self.lines is None else self.lines[rows]
        return replace(self, values=self.values[rows], lines=lines)

    def untyped_if_empty(self) -> Column:
        """A column without one value has no type: it reads as numbers, text or dates alike."""
        if self.storage in ("text", "cells") or not bool(self.missing.all()):
            return self
        return replace(self, storage="text", values=np.full(len(self), -1, np.int32), levels=())

    def called(self, name: str) -> Column:
        """The same column under another name."""
        return self if name == self.name else replace(self, name=name)

    def where(self, row: int) -> str:
        """``column 'age', row 3`` or, of a file, ``column 'age', line 5``."""
        place = "row" if self.lines is None else "line"
        return f"column {self.name!r}, {place} {self.line(row)}"

    def line(self, row: int) -> int:
        """The line of the file that ``row`` ends in, or the number of the row."""
        return self.first_row + row if self.lines is None else int(self.lines[row])

    def shown(self, row: int) -> str:
        """The value in ``row`` as a message shows it."""
        if self.storage in ("number", "time"):
            return str(self.values[row])
        code = int(self.values[row])
        return "nothing" if code < 0 else shortened(self.levels[code])


class Table:
    """Columns of equal length by name: ``table["age"]``, ``table.take(rows)``.

    As of a frame, ``len`` is the number of rows and iteration goes over the names.

    Parameters
    ----------
    columns : iterable of Column
    named : bool
        Whether the names are the data's own, rather than x0, x1, … given here.
    rows : int, optional
        How many, where there are no columns to count.
    """

    def __init__(
        self, columns: Iterable[Column], *, named: bool = True, rows: int | None = None
    ) -> None:
        self._columns: dict[str, Column] = {}
        self.named = named
        for column in columns:
            if column.name in self._columns:
                raise DataError(
                    describe("table", "every column name once", f"{column.name!r} again")
                )
            rows = len(column) if rows is None else rows
            if len(column) != rows:
                where = f"column {column.name!r}"
                raise DataError(describe(where, f"{rows} values as in the others", len(column)))
            self._columns[column.name] = column
        self.rows = rows or 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, len(self._columns)

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except (KeyError, TypeError):
            came = f"only {', '.join(map(repr, self._columns))}"
            raise DataError(describe("table", f"a column {name!r}", came)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return self.rows

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __repr__(self) -> str:
        return f"<Table: {self.rows} rows, columns {', '.join(map(repr, self._columns))}>"

    def select(self, names: Sequence[str]) -> Table:
        """The table of these columns, in this order."""
        return Table((self[name] for name in names), named=self.named, rows=self.rows)

    def without(self, *names: str) -> Table:
        """The table of all other columns; each name must be one of them."""
        for name in names:
            self[name]
        return self.select([name for name in self if name not in names])

    def take(self, rows: Any) -> Table:
        """The table of these rows (indices, booleans or a slice)."""
        count = len(np.arange(self.rows)[rows])
        return Table((self[name].take(rows) for name in self), named=self.named, rows=count)


class Coder:
    """Numbers different texts in the order they appear, a few at a time."""

    def __init__(self) -> None:
        self._index: defaultdict[str, int] = defaultdict()
        self._index.default_factory = self._index.__len__
        self._parts: list[np.ndarray] = []

    def add(self, values: Sequence[str]) -> None:
        """Code these texts."""
        codes = np.fromiter(map(self._index.__getitem__, values), np.int32, len(values))
        self._parts.append(codes)

    def coded(self) -> tuple[list[str], np.ndarray]:
        """(different texts, int32 code of each text so far)."""
        codes = np.concatenate([np.empty(0, np.int32), *self._parts])
        return list(self._index), codes


def recoded(levels: Sequence[str | None], codes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """The same column with equal levels merged and ``None`` levels made missing (−1)."""
    index: dict[str, int] = {}
    places = [-1 if level is None else index.setdefault(level, len(index)) for level in levels]
    # the last place is the one that code −1 finds
    return tuple(index), np.array([*places, -1], dtype=np.int32)[codes]


def shortened(text: str, length: int = 40) -> str:
    """``text`` quoted, cut to ``length`` signs."""
    return repr(text if len(text) <= length else text[: length - 1] + "…")
