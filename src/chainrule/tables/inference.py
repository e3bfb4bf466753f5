"""What a column is: a first pass that looks at all of it, and the rules that decide.

From the plain to the doubtful: constant, binary, number, date, category, identifier, text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from chainrule.errors import DataError, describe
from chainrule.tables.columns import Column, shortened
from chainrule.tables.values import (
    LEADING_ZERO,
    levels_of,
    parse_number,
    parse_time,
)

__all__ = ["DECLARABLE", "Kind", "Survey", "TextColumnError", "decide"]

Kind = Literal["numeric", "binary", "categorical", "datetime", "constant", "identifier", "ignored"]
KINDS = ("numeric", "binary", "categorical", "datetime", "constant", "identifier", "ignored")
DECLARABLE = ("numeric", "binary", "categorical", "datetime", "identifier", "ignored")
"""What ``types=`` may say a column is."""

DISTINCT = 2**16
"""Different values are counted up to here; beyond, a column simply has many."""

FEW_ROWS = 20
"""In fewer rows, values that are all different say nothing."""

MOSTLY = 0.9
"""From this share of numbers on, a cell that is no number is taken for a slip."""

IDENTIFIER = re.compile(
    r"(?i:(.*[ _.-])?(id|uuid|guid|key|rowid|index)|unnamed: ?0)|.*[a-z](Id|ID|Uuid|UUID|Key)"
)
"""Names of columns that number or name their rows: id, customer_id, PassengerId, …"""


class TextColumnError(DataError):
    """A column of free text, which has no encoding here.

    Attributes
    ----------
    columns : tuple of str
        All columns of the table that are free text.
    """

    def __init__(self, message: str, columns: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.columns = columns


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
        Of the numbers.
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
            self.times += int((~missing).sum())
            self._count(column)
        else:
            self._count(column)
            self._add_levels(column)

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
        # the values themselves matter only where they may be names or two-valued
        if self.whole and (may_identify(self) or self.high - self.low <= 1):
            self._count(column)

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


def _exact(level: str, number: float) -> float:
    # beyond 2⁵³ different whole numbers are one float64
    if abs(number) >= 2**53 and level.lstrip("+-").isdecimal():
        return int(level)
    return number


def decide(survey: Survey) -> tuple[Kind, str]:
    """(kind, a remark or "") of a column after the first pass.

    Raises
    ------
    TextColumnError
        Free text.
    DataError
        Mostly numbers or dates, with cells that are neither.
    """
    if not survey.present:
        return "constant", "no values"
    if survey.storage == "number":
        return _decide_numbers(survey)
    if survey.storage == "time" or survey.times == survey.present:
        one = len(survey.levels) == 1 and not survey.missing
        return ("constant", "") if one else ("datetime", "")
    if survey.storage == "cells":
        if survey.numbers == survey.present and not survey.zeros_in_front:
            return _decide_numbers(survey)
        _refuse_slips(survey)
    return _decide_levels(survey)


def _decide_numbers(survey: Survey) -> tuple[Kind, str]:
    if survey.low == survey.high and not survey.missing:
        return "constant", ""
    if survey.whole and (survey.low, survey.high) == (0, 1):
        return "binary", ""
    if survey.whole and may_identify(survey) and survey.is_name_of_rows():
        return "identifier", "no value comes twice"
    large = survey.whole and max(abs(survey.low), abs(survey.high)) > 2**53
    return "numeric", "whole numbers beyond 2⁵³ are rounded" if large else ""


def may_identify(survey: Survey) -> bool:
    """Whether whole numbers of this column may number the rows: by its name, or by their size."""
    # a row number is told by the column's name: 0, 1, 2, … may as well be what is learned from
    return bool(IDENTIFIER.fullmatch(survey.name)) or survey.high > 2**53


def _decide_levels(survey: Survey) -> tuple[Kind, str]:
    count = len(survey.levels)
    if count == 1:
        return ("categorical", "") if survey.missing else ("constant", "")
    if count == 2:
        return "binary", ""
    many = survey.present >= FEW_ROWS and count >= min(DISTINCT, survey.present / 2)
    if many and survey.many_words():
        raise _text(survey)
    if survey.is_name_of_rows():
        return "identifier", "no value comes twice"
    if survey.storage == "mixed":
        return "categorical", "values of several kinds"
    return "categorical", "zeros in front" if survey.zeros_in_front else ""


def _refuse_slips(survey: Survey) -> None:
    if len(survey.levels) < FEW_ROWS or not survey.stranger or survey.zeros_in_front:
        return
    for count, word in ((survey.numbers, "numbers"), (survey.times, "dates")):
        if count >= MOSTLY * survey.present:
            raise DataError(
                describe(
                    f"column {survey.name!r}",
                    f"{word}, as in {count} of {survey.present} cells",
                    survey.stranger,
                    "Correct it, name it in missing=, or declare types="
                    f"{{{survey.name!r}: 'categorical'}}.",
                )
            )


def _text(survey: Survey) -> TextColumnError:
    distinct = f"{len(survey.levels)} different texts in {survey.present} rows"
    return TextColumnError(
        describe(
            f"column {survey.name!r}",
            "numbers, dates or categories",
            f"free text ({distinct}, such as {shortened(min(survey.levels))})",
            "Leave it out or turn it into numbers first (scikit-learn's TfidfVectorizer); "
            f"types={{{survey.name!r}: 'ignored'}} leaves it out here, 'categorical' takes each "
            "text as a category.",
        ),
        (survey.name,),
    )


def refuse_infinite(column: Column, values: np.ndarray) -> None:
    """Infinity is no number to learn from; it is named with its row."""
    if values.dtype.kind != "f" or not np.isinf(values).any():
        return
    row = int(np.argmax(np.isinf(values)))
    remedy = "Make it missing (NaN) or a finite number."
    raise DataError(describe(column.where(row), "a finite number", values[row], remedy))
