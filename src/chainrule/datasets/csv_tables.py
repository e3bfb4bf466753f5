"""Numeric tables from CSV files: a header line, commas, one number a cell."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chainrule.datasets.csv_rows import is_number, numbered_rows, open_text, read_header
from chainrule.errors import DataError, describe

__all__ = ["NumericTable", "read_csv"]


@dataclass(frozen=True, eq=False)
class NumericTable:
    """What `read_csv` found.

    Attributes
    ----------
    X : ndarray of float64 of shape (rows, columns)
    y : ndarray of shape (rows,) or None
        int64 where every label is a whole number, float64 where every label is a number,
        otherwise strings. None without a target.
    columns : tuple of str
        The names of the columns of X.
    target : str or None
    """

    X: np.ndarray
    y: np.ndarray | None
    columns: tuple[str, ...]
    target: str | None


def read_csv(
    path: str | os.PathLike[str],
    target: str | None = None,
    columns: Sequence[str] | None = None,
) -> NumericTable:
    """Read a numeric CSV table, split into columns to learn from and a target.

    Parameters
    ----------
    path : path-like
        UTF-8 with or without byte order mark, any line ends, comma separated, cells quoted or
        not. The first line names the columns. Blank lines are skipped.
    target : str, optional
        The column that holds the labels; numbers or text.
    columns : sequence of str, optional
        The columns of X, in this order; others are not read. Default: all but the target.

    Returns
    -------
    NumericTable

    Raises
    ------
    DataError
        An unknown or duplicate column, a row of another length, a cell that is not a finite
        number, no rows. The line and the column are named.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    with open_text(path) as file:
        rows = numbered_rows(path, file)
        names = _read_header(path, rows)
        chosen = _choose(path, names, target, columns)
        X, y = _read_body(path, rows, names, chosen, target)
    return NumericTable(X, y, tuple(chosen), target)


def _read_header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    names = read_header(path, rows)
    for separator, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            remedy = "Save it with commas, and a point in decimal numbers."
            raise DataError(describe(path, "cells separated by commas", word, remedy))
    return names


def _choose(
    path: Path, names: list[str], target: str | None, columns: Sequence[str] | None
) -> list[str]:
    """The columns of X, all known to exist."""
    for name in (*([] if target is None else [target]), *(columns or ())):
        if name not in names:
            came = f"only {', '.join(map(repr, names))}"
            raise DataError(describe(path, f"a column {name!r}", came))
    chosen = [name for name in names if name != target] if columns is None else list(columns)
    if not chosen or target in chosen:
        came = f"{target!r} among them" if chosen else "none"
        raise DataError(describe(path, "columns to learn from beside the target", came))
    return chosen


def _read_body(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    names: list[str],
    chosen: list[str],
    target: str | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    places = [names.index(name) for name in chosen]
    label = None if target is None else names.index(target)
    numbers, lines, labels = array("d"), array("q"), []
    for line, row in rows:
        if len(row) != len(names):
            raise DataError(describe(f"{path}, line {line}", f"{len(names)} cells", len(row)))
        cells = [row[place] for place in places]
        try:
            numbers.extend(_numbers(cells))
        except ValueError:
            raise _bad_cell(path, line, chosen, cells) from None
        lines.append(line)
        if label is not None:
            labels.append(row[label].strip())
            if not labels[-1]:
                raise DataError(describe(f"{path}, line {line}", f"a label in {target!r}", "none"))
    if not lines:
        raise DataError(describe(path, "rows below the header", "none"))
    X = np.frombuffer(numbers, dtype=np.float64).reshape(-1, len(chosen))
    _check_finite(path, X, lines, chosen)
    return X, None if target is None else _as_labels(path, target, labels, lines)


def _numbers(cells: list[str]) -> Iterable[float]:
    # Python reads 1_000 as a thousand; in a table it is a slip.
    if "_" in "".join(cells):
        raise ValueError(cells)
    return map(float, cells)


def _bad_cell(path: Path, line: int, chosen: list[str], cells: list[str]) -> DataError:
    name, cell = next(pair for pair in zip(chosen, cells, strict=True) if not is_number(pair[1]))
    came = repr(cell) if cell.strip() else "an empty cell"
    remedy = "This table must be numeric: encode the column as numbers, fill it, or leave it out."
    return DataError(describe(f"{path}, line {line}, column {name!r}", "a number", came, remedy))


def _check_finite(path: Path, X: np.ndarray, lines: array[int], chosen: list[str]) -> None:
    finite = np.isfinite(X)
    if finite.all():
        return
    row, column = map(int, np.argwhere(~finite)[0])
    where = f"{path}, line {lines[row]}, column {chosen[column]!r}"
    raise DataError(describe(where, "a finite number", X[row, column]))


def _as_labels(path: Path, target: str, labels: list[str], lines: array[int]) -> np.ndarray:
    """Whole numbers where all labels are (1, or 1.0), else numbers where all are, else the text.

    Text with leading zeros stays text: 01 and 1 are two labels.
    """
    if not all(map(is_number, labels)) or any(map(_has_leading_zero, labels)):
        return np.array(labels)
    try:
        return np.array([int(label) for label in labels], dtype=np.int64)
    except (ValueError, OverflowError):
        y = np.array([float(label) for label in labels])
    _check_finite(path, y[:, np.newaxis], lines, [target])
    exact = np.all(y == np.round(y)) and np.all(np.abs(y) <= 2**53)
    return y.astype(np.int64) if exact else y


def _has_leading_zero(label: str) -> bool:
    digits = label.strip().lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
