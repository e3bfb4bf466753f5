"""Rows of a CSV file with their line numbers, and the names in its first line."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from chainrule.errors import DataError, describe

__all__ = ["is_number", "numbered_rows", "open_text", "read_header"]

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def open_text(path: str | os.PathLike[str]) -> TextIO:
    """The file as UTF-8 text, a byte order mark skipped, line ends as they stand."""
    return open(path, encoding="utf-8-sig", newline="")


def numbered_rows(
    path: Path, lines: Iterable[str], separator: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Number of the (last) line and cells of every row that is not blank."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        word = SEPARATORS.get(separator, repr(separator))
        raise DataError(describe(where, f"{word} separated cells", str(error))) from error
    except UnicodeDecodeError as error:
        remedy = "Save the file as UTF-8."
        raise DataError(describe(path, "text in UTF-8", str(error), remedy)) from error


def read_header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """The names of the columns: the first row, every name there, each only once."""
    _, cells = next(rows, (0, []))
    names = [cell.strip() for cell in cells]
    if not names:
        raise DataError(describe(path, "a header line and rows", "an empty file"))
    if all(map(is_number, names)):
        remedy = "Put the names of the columns in the first line."
        raise DataError(describe(path, "a header line", f"numbers: {', '.join(names)}", remedy))
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name:
            raise DataError(describe(path, "a name for every column", f"none for column {place}"))
        if name in seen:
            raise DataError(describe(path, "every column name once", f"{name!r} again"))
        seen.add(name)
    return names


def is_number(cell: str) -> bool:
    """Whether the cell is a number. Python reads 1_000 as a thousand; in a table it is a slip."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
