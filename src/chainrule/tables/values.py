"""What a text means: a number, a date, a level; and numbers and dates as levels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from chainrule.datasets.csv_rows import is_number
from chainrule.errors import DataError, describe
from chainrule.tables.columns import CODED, Column

DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?")
GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)
LEADING_ZERO = re.compile(r"[+-]?0\d")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def parse_number(text: str) -> float | None:
    """The number that ``text`` is, or None; "inf" is one (and refused later, by name)."""
    try:
        number = float(text)
    except ValueError:
        return None
    # Python reads 1_000 as a thousand; in a table it is a slip
    return None if "_" in text else number


def parse_time(text: str) -> np.datetime64 | None:
    """The time that ``text`` is, in UTC, or None: ISO 8601 as in 2024-01-31, or 31.1.2024."""
    german = GERMAN_DATE.fullmatch(text)
    if german:
        day, month, year, rest = german.groups()
        text = f"{year}-{int(month):02}-{int(day):02}{rest}"
    if not DATE.fullmatch(text):
        return None
    try:
        return as_time(datetime.fromisoformat(text.replace(" +", "+").replace(" Z", "Z")))
    except ValueError:
        return None


def as_time(moment: datetime) -> np.datetime64:
    """A moment in UTC; one without a zone is taken as it stands."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(moment, "us")


def number_key(number: float | int) -> str:
    """A number as a level: whole ones without a point, so that 3 and 3.0 are the same level."""
    if isinstance(number, int):
        return str(number)
    if number.is_integer():
        return str(int(number))
    return repr(number)


def normalized_key(text: str) -> str:
    """``text`` as ``number_key`` would write it if it is a number, else as it stands."""
    if not is_number(text):
        return text
    try:
        return str(int(text))
    except ValueError:
        return number_key(float(text))


def levels_of(column: Column, *, as_numbers: bool = False) -> tuple[Sequence[str], np.ndarray]:
    """(levels as text, int32 code of each row, −1 for missing) of any column.

    ``as_numbers`` writes texts that are numbers as numbers are written: "3.0" is "3".
    """
    if column.storage in CODED:
        levels: Sequence[str] = column.levels
        if as_numbers:
            levels = [normalized_key(level) for level in levels]
        return levels, column.values
    missing = column.missing
    different, inverse = np.unique(column.values[~missing], return_inverse=True)
    codes = np.full(len(column), -1, dtype=np.int32)
    codes[~missing] = inverse
    if column.storage == "time":
        return [str(value) for value in different], codes
    return [number_key(value) for value in different.tolist()], codes


def numbers_of(column: Column) -> tuple[np.ndarray, np.ndarray]:
    """(float64 values with NaN for missing, where a text is no number) of any but a time column."""
    if column.storage == "number":
        values = column.values.astype(np.float64, copy=False)
        return values, np.zeros(len(values), dtype=bool)
    if column.storage == "bool":
        return np.array([0.0, 1.0, np.nan])[column.values], np.zeros(len(column), dtype=bool)
    parsed = [parse_number(level) for level in column.levels]
    table = np.array([*(np.nan if p is None else p for p in parsed), np.nan], dtype=np.float64)
    wrong = np.array([*(p is None for p in parsed), False])
    return table[column.values], wrong[column.values]


def times_of(column: Column) -> tuple[np.ndarray, np.ndarray]:
    """(datetime64[us] with NaT for missing, where a text is no time) of a time or text column."""
    if column.storage == "time":
        return column.values, np.zeros(len(column), dtype=bool)
    parsed = [parse_time(level) for level in column.levels]
    never = np.datetime64("NaT", "us")
    table = np.array([*(never if p is None else p for p in parsed), never], dtype="datetime64[us]")
    wrong = np.array([*(p is None for p in parsed), False])
    return table[column.values], wrong[column.values]


def refuse_infinite(column: Column, values: np.ndarray) -> None:
    """Infinity is no number to learn from; it is named with its row."""
    if values.dtype.kind != "f" or not np.isinf(values).any():
        return
    row = int(np.argmax(np.isinf(values)))
    remedy = "Make it missing (NaN) or a finite number."
    raise DataError(describe(column.where(row), "a finite number", values[row], remedy))
