"""What a target is: classes or values; one rule for everything that has to guess."""

from __future__ import annotations

import numpy as np

from chainrule.errors import DataError, describe
from chainrule.tables.columns import CODED, Column
from chainrule.tables.values import LEADING_ZERO, parse_number

__all__ = ["MOST_CLASSES", "holds_classes", "target_values"]

MOST_CLASSES = 20
"""So many different whole numbers are classes; more are values."""


def holds_classes(y: np.ndarray, most: int = MOST_CLASSES) -> bool:
    """Whether y holds classes: text, or whole numbers of which at most ``most`` are different."""
    if y.dtype.kind not in "fiu":
        return True
    whole = y.dtype.kind != "f" or bool(np.all(y == np.floor(y)))
    return whole and len(np.unique(y)) <= most


def target_values(column: Column) -> np.ndarray:
    """A column without missing values as an array: whole numbers, numbers, or else text.

    Text with zeros in front stays text: 01 and 1 are two labels.
    """
    if column.storage not in CODED:
        return column.values
    present = np.unique(column.values).tolist()
    levels = [column.levels[code] for code in present]
    numbers = [None if LEADING_ZERO.match(one) else parse_number(one) for one in levels]
    if any(one is None for one in numbers):
        return np.array(column.levels, dtype=str)[column.values]
    known = np.full(len(column.levels), np.nan)
    known[present] = np.array(numbers, np.float64)
    if not np.isfinite(known[present]).all():
        row = int(np.argmax(~np.isfinite(known[column.values])))
        raise DataError(describe(column.where(row), "a finite number", column.shown(row)))
    values = known[column.values]
    exact = bool(np.all(values == np.floor(values)) and np.all(np.abs(values) <= 2**53))
    return values.astype(np.int64) if exact else values
