"""CSV files of any columns, whole or chunk by chunk: separators found out, missing cells known.

The rows and the header are read as ``chainrule.datasets.read_csv`` reads them; what a column
means is decided later, from all of its cells.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from chainrule.datasets.csv_rows import SEPARATORS, numbered_rows, open_text, read_header
from chainrule.errors import DataError, OptionError, describe
from chainrule.tables.columns import Coder, Column, Table, recoded
from chainrule.tables.values import DECIMAL_COMMA

__all__ = ["MISSING", "TableReader", "read_table"]

MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null")
"""Cells that mean: not known."""

SAMPLE_LINES = 200
BLOCK_ROWS = 1024


class TableReader:
    """A CSV file as tables of up to ``chunk_rows`` rows; iterate as often as needed.

    Parameters
    ----------
    path : path-like
        UTF-8 with or without byte order mark, any line ends, cells quoted or not; the first line
        names the columns. Blank lines are skipped.
    separator : {",", ";", "\\t", "|"}, optional
        Default: found out from the first lines. In a file separated otherwise than by commas,
        a comma inside numbers is a decimal comma where no number there has a point.
    missing : sequence of str
        The cells that mean: not known. Blanks around a cell do not count.
    chunk_rows : int
        Rows in memory at a time.

    Attributes
    ----------
    names : tuple of str
        The columns.

    Raises
    ------
    DataError
        A duplicate or empty column name, a row of another length (its line is named), bad quotes,
        another encoding, no rows.
    OSError
        The file cannot be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        separator: str | None = None,
        missing: Sequence[str] = MISSING,
        chunk_rows: int = 65_536,
    ) -> None:
        self.path = Path(path)
        if isinstance(missing, str) or not all(isinstance(cell, str) for cell in missing):
            remedy = "For example missing=['', '-999']."
            raise OptionError(describe("missing", "a list of cells", repr(missing), remedy))
        if separator is not None and separator not in SEPARATORS:
            came = repr(separator)
            raise OptionError(describe("separator", "',', ';', a tab or '|'", came))
        if isinstance(chunk_rows, bool) or not isinstance(chunk_rows, int) or chunk_rows < 1:
            raise OptionError(describe("chunk_rows", "an integer ≥ 1", repr(chunk_rows)))
        self.missing = frozenset(cell.strip() for cell in missing)
        self.chunk_rows = chunk_rows
        sample = self._sample()
        self.separator = separator or _find_separator(sample)
        self.decimal_comma = self.separator != "," and _has_decimal_comma(sample, self.separator)
        with open_text(self.path) as file:
            rows = numbered_rows(self.path, file, self.separator)
            self.names = tuple(read_header(self.path, rows))

    def __iter__(self) -> Iterator[Table]:
        return self._chunks(self.chunk_rows)

    def __repr__(self) -> str:
        return f"<TableReader {str(self.path)!r}, columns {', '.join(map(repr, self.names))}>"

    def read(self) -> Table:
        """The whole file as one table."""
        return next(self._chunks(None))

    def _sample(self) -> list[str]:
        with open_text(self.path) as file:
            try:
                # a line may be as long as the file; a sample may not
                return list(islice(iter(lambda: file.readline(2**16), ""), SAMPLE_LINES))
            except UnicodeDecodeError as error:
                remedy = "Save the file as UTF-8."
                raise DataError(describe(self.path, "text in UTF-8", str(error), remedy)) from error

    def _chunks(self, chunk_rows: int | None) -> Iterator[Table]:
        with open_text(self.path) as file:
            rows = numbered_rows(self.path, file, self.separator)
            names = tuple(read_header(self.path, rows))
            if names != self.names:
                came = ", ".join(map(repr, names))
                raise DataError(describe(self.path, "the columns it had before", came))
            start = 0
            while (table := self._table(rows, start, chunk_rows)).rows:
                yield table
                start += table.rows
            if not start:
                raise DataError(describe(self.path, "rows below the header", "none"))

    def _table(
        self, rows: Iterator[tuple[int, list[str]]], start: int, chunk_rows: int | None
    ) -> Table:
        """The table of the next ``chunk_rows`` rows, or of all."""
        lines: list[int] = []
        coders = [Coder() for _ in self.names]
        for block in _blocks(rows, chunk_rows):
            for line, row in block:
                if len(row) != len(coders):
                    raise self._ragged(line, len(row))
                lines.append(line)
            columns = zip(*(row for _, row in block), strict=True)
            for coder, cells in zip(coders, columns, strict=True):
                coder.add(cells)
        numbers = np.array(lines, dtype=np.int64)
        columns = (
            self._column(name, *coder.coded(), numbers, start)
            for name, coder in zip(self.names, coders, strict=True)
        )
        return Table(columns, rows=len(lines))

    def _ragged(self, line: int, width: int) -> DataError:
        expected = f"{len(self.names)} cells as in the header"
        return DataError(describe(f"{self.path}, line {line}", expected, width))

    def _column(
        self, name: str, raw: list[str], codes: np.ndarray, lines: np.ndarray, start: int
    ) -> Column:
        stripped = [level.strip() for level in raw]
        if self.decimal_comma:
            stripped = [_with_point(level) for level in stripped]
        known = [None if level in self.missing else level for level in stripped]
        levels, codes = recoded(known, codes)
        return Column(name, "cells", codes, levels, lines, start)


def read_table(
    path: str | os.PathLike[str],
    *,
    separator: str | None = None,
    missing: Sequence[str] = MISSING,
) -> Table:
    """A CSV file of any columns as one table: numbers, categories, dates, missing cells.

    ``table.take(rows)`` splits it, ``table.without("target")`` takes a column out,
    ``ColumnEncoder().fit(table)`` learns from it. See ``TableReader`` for the parameters and the
    errors.
    """
    return TableReader(path, separator=separator, missing=missing).read()


def _blocks(
    rows: Iterator[tuple[int, list[str]]], total: int | None
) -> Iterator[list[tuple[int, list[str]]]]:
    # few rows at a time as lists of cells: Python's collector would look at them again and again
    left = total
    while left is None or left > 0:
        block = list(islice(rows, BLOCK_ROWS if left is None else min(left, BLOCK_ROWS)))
        if not block:
            return
        yield block
        left = None if left is None else left - len(block)


def _find_separator(sample: list[str]) -> str:
    """What splits most lines into as many cells as the first; a comma when in doubt."""
    best, score = ",", (0, 1)
    for separator in SEPARATORS:
        widths = _widths(sample, separator)
        if not widths or widths[0] < 2:
            continue
        agreeing = sum(width == widths[0] for width in widths)
        if (agreeing, widths[0]) > score:
            best, score = separator, (agreeing, widths[0])
    return best


def _widths(sample: list[str], separator: str) -> list[int]:
    return [len(row) for row in _sampled_rows(sample, separator)]


def _sampled_rows(sample: list[str], separator: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(sample, delimiter=separator) if row]
    except csv.Error:
        return []


def _has_decimal_comma(sample: list[str], separator: str) -> bool:
    cells = [cell.strip() for row in _sampled_rows(sample, separator)[1:] for cell in row]
    commas = any(DECIMAL_COMMA.fullmatch(cell) for cell in cells)
    points = any(DECIMAL_COMMA.fullmatch(cell.replace(".", ",")) for cell in cells if "." in cell)
    return commas and not points


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
