"""Rows that are the same, told by fingerprints."""

from __future__ import annotations

import hashlib

import numpy as np

from chainrule.tables.columns import CODED, Column, Table

__all__ = ["fingerprints"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
MISSING = np.uint64(0x5EED)


def fingerprints(table: Table) -> np.ndarray:
    """64 bits of each row: the same for equal rows, whatever stands around them.

    That two different rows of a million have the same has a probability of 3·10⁻⁸.
    """
    marks = np.zeros(table.rows, np.uint64)
    for name in table:
        marks = mixed(marks * GOLDEN + _words(table[name]))
    return marks


def mixed(words: np.ndarray) -> np.ndarray:
    """Each bit depends on every bit of its word (splitmix64; Steele, Lea, Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * MIX[0]
    words = (words ^ (words >> np.uint64(27))) * MIX[1]
    return words ^ (words >> np.uint64(31))


def _words(column: Column) -> np.ndarray:
    """Every value as 64 bits."""
    if column.storage in CODED:
        levels = [_word_of(level) for level in column.levels]
        # the last place is the one that code −1, a missing value, finds
        return np.array([*levels, MISSING], np.uint64)[column.values]
    values = column.values
    if values.dtype.kind == "f":
        # −0 is 0, and every NaN is missing
        values = np.where(np.isnan(values), np.nan, values.astype(np.float64) + 0.0)
    elif values.dtype.kind == "M":
        values = values.astype(np.int64)
    wide = values if values.dtype.itemsize == 8 else values.astype(np.int64)
    return np.ascontiguousarray(wide).view(np.uint64)


def _word_of(level: str) -> int:
    digest = hashlib.blake2b(level.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
