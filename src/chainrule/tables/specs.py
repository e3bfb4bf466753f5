"""What the encoder knows of one column, and whether a new column is still of that kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.errors import DataError, describe
from chainrule.tables.columns import WORDS, Column
from chainrule.tables.encodings import Encoding, LevelEncoding
from chainrule.tables.inference import Kind
from chainrule.tables.values import normalized_key, numbers_of, refuse_infinite, times_of

__all__ = ["ColumnSpec", "check_column", "checked_numbers", "checked_times"]

READABLE = ("text", "mixed", "cells")


@dataclass(frozen=True)
class ColumnSpec:
    """One column of the training table.

    Attributes
    ----------
    name : str
    kind : str
        "numeric", "binary", "categorical", "datetime", "constant", "identifier" or "ignored".
    storage : str
        How the training's column was stored, see ``chainrule.tables.columns``.
    declared : bool
        Whether ``types`` said so, rather than the data.
    rows, missing : int
        How many there were in training.
    low, high : float or None
        The range, of numbers and of times (in seconds since 1970).
    note : str
        A remark for the summary.
    encoding : Encoding
    """

    name: str
    kind: Kind
    storage: str
    declared: bool
    rows: int
    missing: int
    low: float | None
    high: float | None
    note: str
    encoding: Encoding

    @property
    def used(self) -> bool:
        """Whether anything of the column is encoded."""
        return self.kind not in ("constant", "identifier", "ignored")


def check_column(spec: ColumnSpec, column: Column) -> None:
    """Refuse a column whose type has changed since training, naming the column and a value."""
    if not spec.used or bool(column.missing.all()):
        return
    if spec.kind == "numeric":
        _check_storage(spec, column, column.storage in _number_storages(spec))
        checked_numbers(column)
    elif spec.kind == "datetime":
        _check_storage(spec, column, column.storage in ("time", *READABLE))
        checked_times(column)
    else:
        _check_storage(spec, column, _levels_fit(spec, column))


def checked_numbers(column: Column) -> np.ndarray:
    """The column as float64, NaN for missing; a text that is no number, or ±inf, is refused."""
    if column.storage == "time":
        expected = "numbers"
        raise DataError(describe(f"column {column.name!r}", expected, WORDS["time"]))
    values, wrong = numbers_of(column)
    _refuse_wrong(column, wrong, "a number")
    refuse_infinite(column, values)
    return values


def checked_times(column: Column) -> np.ndarray:
    """The column as datetime64, NaT for missing; a text that is no date is refused."""
    if column.storage in ("number", "bool"):
        remedy = "Convert them to dates first (datetime64)."
        came = WORDS[column.storage]
        raise DataError(describe(f"column {column.name!r}", WORDS["time"], came, remedy))
    times, wrong = times_of(column)
    _refuse_wrong(column, wrong, "a date such as 2024-01-31 or 2024-01-31 12:30")
    return times


def _refuse_wrong(column: Column, wrong: np.ndarray, expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(describe(column.where(row), expected, column.shown(row)))


def _number_storages(spec: ColumnSpec) -> tuple[str, ...]:
    if spec.storage == "bool":
        return ("bool", "number", "cells")
    from_text = spec.declared or spec.storage in READABLE
    return ("number", *READABLE) if from_text else ("number", "mixed", "cells")


def _levels_fit(spec: ColumnSpec, column: Column) -> bool:
    """Whether levels of this column can be those of training at all."""
    # some rows of a mixed column may well be of one kind
    if column.storage in (spec.storage, "cells") or spec.storage == "mixed":
        return True
    encoding = spec.encoding
    levels = encoding.levels if isinstance(encoding, LevelEncoding) else ()
    if column.storage == "number":
        # 1234 is not the 01234 of training, nor is it a word
        return all(_is_number_key(level) for level in levels)
    if column.storage == "bool":
        return {level.lower() for level in levels} <= {"true", "false"}
    if column.storage in ("text", "mixed"):
        return spec.declared or spec.storage in READABLE
    return False


def _is_number_key(level: str) -> bool:
    try:
        return normalized_key(level) == level and bool(np.isfinite(float(level)))
    except ValueError:
        return False


def _check_storage(spec: ColumnSpec, column: Column, fits: bool) -> None:
    if fits:
        return
    row = int(np.argmax(~column.missing))
    raise DataError(
        describe(
            f"column {spec.name!r}",
            f"{_expected(spec)} as in training",
            f"{WORDS[column.storage]} ({column.shown(row)} in {column.where(row).split(', ')[-1]})",
            "Read it as it was read for training.",
        )
    )


def _expected(spec: ColumnSpec) -> str:
    if spec.kind in ("numeric", "datetime"):
        return WORDS["number" if spec.kind == "numeric" else "time"]
    return "text" if spec.storage == "cells" else WORDS[spec.storage]
