"""Columns of Python objects and NumPy arrays: what they hold, or why they cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.errors import DataError, WrongTypeError, describe
from chainrule.tables.columns import BOOL_LEVELS, Coder, Column, recoded
from chainrule.tables.values import as_time, number_key

__all__ = ["column_of"]

NUMBERS = (int, float, np.integer, np.floating, Decimal, Fraction)
BOOLS = (bool, np.bool_)
TIMES = (datetime, date, np.datetime64)
# pandas.NA and pandas.NaT, known by name so that pandas need not be imported
NAMES_OF_NOTHING = ("NAType", "NaTType")


def column_of(name: str, values: Any) -> Column:
    """The column of an array or a sequence of one dimension.

    Raises
    ------
    DataError, WrongTypeError
        More than one dimension; objects that are no numbers, text, dates, True or False.
    """
    if isinstance(values, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(values)
        values = np.array(values.data, dtype=object)
        values[hidden] = None
    if not isinstance(values, np.ndarray):
        values = _as_array(values)
    if values.ndim != 1:
        came = f"an array of shape {values.shape}"
        raise DataError(describe(f"column {name!r}", "one value a row", came))
    return _of_array(name, values)


def _as_array(values: Any) -> np.ndarray:
    if hasattr(values, "__array__"):
        return np.asarray(values)
    values = list(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _of_array(name: str, values: np.ndarray) -> Column:
    kind = values.dtype.kind
    if kind in "iu":
        return Column(name, "number", values.astype(np.uint64 if kind == "u" else np.int64))
    if kind == "f":
        with np.errstate(over="ignore"):
            return Column(name, "number", values.astype(np.float64))
    if kind == "b":
        return Column(name, "bool", values.astype(np.int32), BOOL_LEVELS)
    if kind == "M":
        return Column(name, "time", values.astype("datetime64[us]"))
    if kind == "m":
        seconds = values.astype("timedelta64[us]").astype(np.float64) / 1e6
        return Column(name, "number", np.where(np.isnat(values), np.nan, seconds))
    if kind == "S":
        return text_column(name, [_decoded(name, value) for value in values.tolist()])
    if kind in "UT":
        return text_column(name, values.tolist())
    if kind == "O":
        return _of_objects(name, values.tolist())
    if kind == "c":
        raise DataError(f"Complex data not supported: column {name!r} holds {values.dtype}.")
    expected = "numbers, text, dates, True or False"
    raise WrongTypeError(describe(f"column {name!r}", expected, f"an array of {values.dtype}"))


def text_column(name: str, values: Sequence[str | None]) -> Column:
    """A column of text; None and the empty text are missing."""
    coder = Coder()
    coder.add(["" if value is None else value for value in values])
    levels, codes = coder.coded()
    return Column(name, "text", *_reordered(recoded([level or None for level in levels], codes)))


def _reordered(coded: tuple[tuple[str, ...], np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:
    return coded[1], coded[0]


def _of_objects(name: str, values: list[Any]) -> Column:
    kinds = {kind for kind in set(map(type, values)) if not issubclass(kind, type(None))}
    if all(issubclass(kind, str) for kind in kinds) and kinds:
        return text_column(name, values)
    if not all(_is_plain(kind) for kind in kinds):
        _refuse_strangers(name, values)
    present = [None if is_missing(value) else value for value in values]
    kinds = {type(value) for value in present if value is not None}
    if all(issubclass(kind, BOOLS) for kind in kinds) and kinds:
        codes = np.array([-1 if v is None else int(v) for v in present], dtype=np.int32)
        return Column(name, "bool", codes, BOOL_LEVELS)
    if all(issubclass(kind, TIMES) for kind in kinds) and kinds:
        return Column(name, "time", np.array([_time(v) for v in present], dtype="datetime64[us]"))
    if all(issubclass(kind, NUMBERS) and not issubclass(kind, BOOLS) for kind in kinds):
        numbers = _numbers(name, present)
        if numbers is not None:
            return Column(name, "number", numbers)
    # of several kinds: levels, as a file would show them
    text = text_column(name, [None if v is None else _key(v) for v in present])
    return replace(text, storage="mixed")


def _is_plain(kind: type) -> bool:
    plain = (str, *NUMBERS, *BOOLS, *TIMES)
    return issubclass(kind, plain) or kind.__name__ in NAMES_OF_NOTHING


def is_missing(value: Any) -> bool:
    """Whether an object of a table means: not known."""
    if value is None or type(value).__name__ in NAMES_OF_NOTHING:
        return True
    if isinstance(value, (float, np.floating)):
        return bool(value != value)
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return isinstance(value, Decimal) and value.is_nan()


def _refuse_strangers(name: str, values: list[Any]) -> None:
    row = next(i for i, v in enumerate(values) if v is not None and not _is_plain(type(v)))
    kind = type(values[row])
    if issubclass(kind, (complex, np.complexfloating)):
        raise DataError(f"Complex data not supported: column {name!r}, row {row}.")
    raise WrongTypeError(
        describe(
            f"column {name!r}, row {row}",
            "a number, text, a date, True or False",
            f"a value of type {kind.__name__}",
            "Turn each part of it into a column of its own.",
        )
    )


def _numbers(name: str, values: list[Any]) -> np.ndarray | None:
    """The values as one array, or None where it could not hold a whole number exactly."""
    kinds = {type(value) for value in values}
    if all(issubclass(kind, (int, np.integer)) for kind in kinds):
        try:
            return np.array(values, dtype=np.int64)
        except OverflowError:
            pass  # beyond 64 bits
    floats = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            floats[row] = number = np.nan if value is None else float(value)
            # such whole numbers are names rather than amounts: as levels they stay themselves
            if isinstance(value, (int, np.integer)) and int(number) != value:
                return None
        except OverflowError:
            where, came = f"column {name!r}, row {row}", f"one of {len(str(value))} digits"
            raise DataError(describe(where, "a number that float64 can hold", came)) from None
    return floats


def _key(value: Any) -> str:
    if isinstance(value, (*BOOLS, str)):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, NUMBERS):
        return number_key(float(value))
    return str(_time(value))


def _time(value: Any) -> np.datetime64:
    if value is None:
        return np.datetime64("NaT", "us")
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]")
    if isinstance(value, datetime):
        return as_time(value)
    return np.datetime64(value, "us")


def _decoded(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        remedy = "Decode the bytes first."
        raise DataError(
            describe(f"column {name!r}", "text in UTF-8", str(error), remedy)
        ) from error
