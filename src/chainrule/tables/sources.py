"""Any table that people hand over, as a ``Table``: frames, arrays, dicts of columns, CSV files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import scipy.sparse

from chainrule.errors import DataError, WrongTypeError, describe
from chainrule.tables.columns import Column, Table
from chainrule.tables.frames import frame_columns, library_of
from chainrule.tables.objects import column_of
from chainrule.tables.reading import TableReader, read_table

__all__ = ["as_table"]


def as_table(X: Any) -> Table:
    """``X`` as a table.

    Parameters
    ----------
    X : table-like
        A Table, a TableReader, the path of a CSV file, a DataFrame of pandas or polars, a pyarrow
        Table, a mapping of names to columns, a structured array, or an array of (rows, columns).

    Raises
    ------
    DataError, WrongTypeError
        Not a table, a duplicate column name, columns of different lengths, values that are no
        numbers, text, dates, True or False.
    """
    if isinstance(X, Table):
        return X
    if isinstance(X, TableReader):
        return X.read()
    if isinstance(X, (str, os.PathLike)):
        return read_table(X)
    if library_of(X) in ("pandas", "polars", "pyarrow"):
        return _of_frame(X)
    if scipy.sparse.issparse(X):
        remedy = "Use X.toarray() if it fits into memory."
        raise WrongTypeError(describe("X", "a dense table", "a sparse matrix", remedy))
    if isinstance(X, Mapping):
        return _of_mapping(X)
    if isinstance(X, np.ndarray) and X.dtype.names is not None:
        return _of_structured(X)
    return _of_array(X)


def _of_frame(X: Any) -> Table:
    if type(X).__name__ == "LazyFrame":
        raise WrongTypeError(describe("X", "a polars DataFrame", "a LazyFrame", "Call .collect()."))
    if getattr(X, "ndim", 2) != 2 or not (hasattr(X, "columns") or hasattr(X, "column_names")):
        came = f"a {type(X).__name__} of one column"
        remedy = "Reshape your data: pass a frame, for instance X.to_frame()."
        raise DataError(describe("X", "a frame of rows and columns", came, remedy))
    pairs = list(frame_columns(X))
    texts = [isinstance(label, str) for label, _ in pairs]
    named = all(texts) and bool(texts)
    if any(texts) and not named:
        stranger = next(label for label, _ in pairs if not isinstance(label, str))
        remedy = "Convert with X.columns = X.columns.astype(str)."
        came = f"{stranger!r} among strings"
        raise WrongTypeError(
            describe("X", "column names that are all strings, or none", came, remedy)
        )
    names = [label if named else f"x{place}" for place, (label, _) in enumerate(pairs)]
    check_unique(names)
    return Table(
        (make(name) for name, (_, make) in zip(names, pairs, strict=True)),
        named=named,
        rows=len(X),
    )


def _of_mapping(X: Mapping[Any, Any]) -> Table:
    columns: list[Column] = []
    for name, values in X.items():
        if not isinstance(name, str):
            raise WrongTypeError(describe("X", "column names that are strings", repr(name)))
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
            came = f"a {type(values).__name__}"
            raise WrongTypeError(describe(f"column {name!r}", "a sequence of values", came))
        columns.append(column_of(name, values))
    return Table(columns)


def _of_structured(X: np.ndarray) -> Table:
    names = X.dtype.names or ()
    if X.ndim != 1:
        came = f"shape {X.shape}"
        raise DataError(describe("X", "a structured array of one dimension", came))
    return Table((column_of(name, X[name]) for name in names), rows=len(X))


def _of_array(X: Any) -> Table:
    array = X if isinstance(X, np.ndarray) else _made_array(X)
    if array.ndim != 2:
        raise DataError(
            f"Expected 2D array, got {array.ndim}D array instead: shape {array.shape}. Reshape "
            "your data: array.reshape(-1, 1) for one column, array.reshape(1, -1) for one row."
        )
    columns = (column_of(f"x{place}", array[:, place]) for place in range(array.shape[1]))
    return Table(columns, named=False, rows=len(array))


def _made_array(X: Any) -> np.ndarray:
    if hasattr(X, "__array__"):
        return np.asarray(X)
    try:
        # objects, because NumPy would write a number beside a text as text
        array = np.array(X, dtype=object)
    except ValueError as error:
        raise DataError(describe("X", "rows of equal length", str(error))) from error
    if array.ndim == 1 and len({len(row) for row in array if isinstance(row, (list, tuple))}) > 1:
        raise DataError(describe("X", "rows of equal length", "rows of different lengths"))
    return array


def check_unique(names: Iterable[str]) -> None:
    """Refuse a name that comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(describe("X", "every column name once", f"{name!r} again"))
        seen.add(name)
