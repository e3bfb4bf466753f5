"""The first look at a column: what its values could be, counted chunk after chunk."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from chainrule.errors import DataError, describe
from chainrule.tables.columns import WORDS, Column, shortened
from chainrule.tables.values import (
    LEADING_ZERO,
    levels_of,
    parse_number,
    parse_time,
    refuse_infinite,
)

__all__ = ["DISTINCT", "FEW_ROWS", "Survey", "may_identify"]

DISTINCT = 2**16
"""Different values are counted up to here; beyond, a column simply has many."""

FEW_ROWS = 20
"""In fewer rows, values that are all different say nothing."""

IDENTIFIER = re.compile(
    r"(?i:(.*[ _.-])?(id|uuid|guid|key|rowid|index)|unnamed: ?0)|.*[a-z](Id|ID|Uuid|UUID|Key)"
)
"""Names of columns that number or name their rows: id, customer_id, PassengerId, …"""


@dataclass
class Survey:
    """What the first pass has seen of a column, chunk after chunk.

    Attributes
    ----------
    rows, missing : int
    numbers, times : int
        How many cells can be read as these.
    whole : bool
        Whether all numbers are whole.
    zeros_in_front : bool
        Whether a cell is written like 007.
    low, high : float
        Of the numbers; of a column stored as times, in microseconds since 1970.
    levels : set of str
        Up to ``DISTINCT`` different values, as text.
    repeated : bool
        Whether one of them came twice.
    words, signs : int
        In all texts.
    stranger : str
        The first cell that is neither a number nor a time, and where it stands.
    """

    name: str
    storage: str = ""
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    times: int = 0
    whole: bool = True
    zeros_in_front: bool = False
    low: float = np.inf
    high: float = -np.inf
    levels: set[str] = field(default_factory=set)
    repeated: bool = False
    words: int = 0
    signs: int = 0
    stranger: str = ""

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.rows - self.missing

    def add(self, column: Column) -> None:
        """Look at one more chunk."""
        self.storage = column.storage
        self.rows += len(column)
        missing = column.missing
        self.missing += int(missing.sum())
        if column.storage == "number":
            self._add_numbers(column, missing)
        elif column.storage == "time":
            self._add_times(column.values[~missing])
        else:
            self._count(column)
            self._add_levels(column)

    def join(self, other: Survey) -> None:
        """Take in what another survey has seen of the same column in other rows.

        Raises
        ------
        DataError
            When its values are stored otherwise.
        """
        if self.present and other.present and self.storage != other.storage:
            expected = f"{WORDS[self.storage]} in all partitions, as in the first"
            came = WORDS[other.storage]
            remedy = "Convert the column where the data are made."
            raise DataError(describe(f"column {self.name!r}", expected, came, remedy))
        self.storage = self.storage if self.present or not other.present else other.storage
        for name in ("rows", "missing", "numbers", "times", "words", "signs"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.whole &= other.whole
        self.zeros_in_front |= other.zeros_in_front
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.repeated |= other.repeated or not self.levels.isdisjoint(other.levels)
        if len(self.levels) < DISTINCT:
            self.levels |= other.levels
        self.stranger = self.stranger or other.stranger

    def _add_numbers(self, column: Column, missing: np.ndarray) -> None:
        present = column.values[~missing]
        if not len(present):
            return
        refuse_infinite(column, column.values)
        self.numbers += len(present)
        # .item(): whole numbers of 64 bits stay exact
        self.low = min(self.low, present.min().item())
        self.high = max(self.high, present.max().item())
        if self.whole and present.dtype.kind == "f":
            self.whole = bool((present == np.floor(present)).all())
        # the values themselves matter only where they may be names
        if self.whole and may_identify(self):
            self._count(column)

    def _add_times(self, present: np.ndarray) -> None:
        self.times += len(present)
        if len(present):
            ticks = present.astype(np.int64)
            self.low, self.high = min(self.low, ticks.min()), max(self.high, ticks.max())

    def _count(self, column: Column) -> None:
        levels, codes = levels_of(column)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        seen = [level for level, count in zip(levels, counts, strict=True) if count]
        if len(self.levels) < DISTINCT:
            before = len(self.levels)
            self.levels.update(seen)
            self.repeated |= bool((counts > 1).any()) or len(self.levels) - before < len(seen)

    def _add_levels(self, column: Column) -> None:
        counts = np.bincount(column.values[column.values >= 0], minlength=len(column.levels))
        for code, (level, count) in enumerate(zip(column.levels, counts.tolist(), strict=True)):
            if not count:
                continue
            self.words += count * (level.count(" ") + 1)
            self.signs += count * len(level)
            readable = column.storage != "cells" or self._add_cell(level, count)
            if not (readable or self.stranger):
                row = int(np.argmax(column.values == code))
                self.stranger = f"{shortened(level)} in line {column.line(row)}"

    def _add_cell(self, level: str, count: int) -> bool:
        """Whether the cell is a number or a time."""
        number = parse_number(level)
        if number is None:
            is_time = parse_time(level) is not None
            self.times += count * is_time
            return is_time
        self.numbers += count
        self.whole = self.whole and number.is_integer()
        exact = _exact(level, number)
        self.low, self.high = min(self.low, exact), max(self.high, exact)
        self.zeros_in_front = self.zeros_in_front or LEADING_ZERO.match(level) is not None
        return True

    def many_words(self) -> bool:
        """Whether its texts read like sentences or names rather than like labels."""
        return self.words >= 2.5 * self.present or self.signs >= 50 * self.present

    def is_name_of_rows(self) -> bool:
        """Whether no value comes twice."""
        return not self.repeated and self.present >= FEW_ROWS


def may_identify(survey: Survey) -> bool:
    """Whether whole numbers of this column may number the rows: by its name, or by their size."""
    # a row number is told by the column's name: 0, 1, 2, … may as well be what is learned from
    return bool(IDENTIFIER.fullmatch(survey.name)) or survey.high > 2**53


def _exact(level: str, number: float) -> float:
    # beyond 2⁵³ different whole numbers are one float64
    if abs(number) >= 2**53 and level.lstrip("+-").isdecimal():
        return int(level)
    return number
