"""Folders of Parquet and CSV files as loads: row groups, and blocks of lines."""

from __future__ import annotations

import glob
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from chainrule.cluster.frames import as_frame
from chainrule.cluster.sources import Load
from chainrule.errors import ChainruleError, DataError, OptionError, describe, one_line

PARQUET, CSV = (".parquet", ".pq"), (".csv",)
CSV_BYTES = 32 << 20
"""Of a block of lines."""
ONE_THREAD = pc.ReadOptions(use_threads=False)
"""Arrow's threads, in a file that ends in an error, have ended the process."""


@dataclass(frozen=True)
class Columns:
    """Which columns are the target and the weights; all others are X."""

    target: str
    weight: str | None = None

    def split(self, table: pa.Table) -> tuple[Any, Any, Any]:
        """A table of Arrow as X, y, weight."""
        apart = [name for name in (self.target, self.weight) if name is not None]
        y, *weight = (table.select([one]).to_pandas()[one].to_numpy() for one in apart)
        return as_frame(table.drop_columns(apart)), y, weight[0] if weight else None

    def check(self, path: str, names: Sequence[str]) -> None:
        """Refuse a file without them."""
        for name in (self.target, self.weight):
            if name is not None and name not in names:
                came = f"only {', '.join(map(repr, names))}"
                raise DataError(describe(path, f"a column {name!r}", came))


@dataclass(frozen=True)
class RowGroups(Load):
    """Neighbouring row groups of a Parquet file."""

    path: str
    first: int
    count: int
    columns: Columns

    @property
    def where(self) -> str:
        """File and row groups."""
        last = self.first + self.count - 1
        groups = f"group {self.first}" if self.count == 1 else f"groups {self.first} to {last}"
        return f"{self.path}, row {groups}"

    def read(self) -> tuple[Any, Any, Any]:
        """The rows of these groups."""
        with pq.ParquetFile(self.path) as file:
            groups = range(self.first, self.first + self.count)
            return self.columns.split(file.read_row_groups(list(groups), use_threads=False))


@dataclass(frozen=True)
class Lines(Load):
    """A range of bytes of a CSV file: whole lines, of columns of known types."""

    path: str
    start: int
    stop: int
    schema: pa.Schema
    columns: Columns

    @property
    def where(self) -> str:
        """File and bytes."""
        return f"{self.path}, bytes {self.start} to {self.stop}"

    def read(self) -> tuple[Any, Any, Any]:
        """The rows of these lines."""
        with open(self.path, "rb") as file:
            file.seek(self.start)
            text = file.read(self.stop - self.start)
        if not text.strip():
            return self.columns.split(self.schema.empty_table())
        types = pc.ConvertOptions(column_types=self.schema, strings_can_be_null=True)
        names = pc.ReadOptions(column_names=self.schema.names, use_threads=False)
        table = pc.read_csv(pa.BufferReader(text), read_options=names, convert_options=types)
        return self.columns.split(table)


def loads_of(
    source: str | os.PathLike[str], target: str, weight: str | None, rows: int
) -> list[Load]:
    """The loads of a file, a folder or a pattern such as ``data/*.parquet``.

    Parameters
    ----------
    rows : int
        Row groups of fewer rows than this are read together with their neighbours.

    Raises
    ------
    FileNotFoundError, OptionError, DataError
        There is no such file, or it is neither Parquet nor CSV, or lacks a column.
    """
    columns = Columns(target, weight)
    loads: list[Load] = []
    for path in find_files(source):
        parquet = path.lower().endswith(PARQUET)
        loads += _groups(path, columns, rows) if parquet else _lines(path, columns, loads)
    return loads


def find_files(source: str | os.PathLike[str]) -> list[str]:
    """The Parquet or CSV files that ``source`` names, sorted."""
    text = os.fspath(source)
    if os.path.isdir(text):
        every = (str(path) for path in Path(text).rglob("*") if path.is_file())
        found = sorted(path for path in every if path.lower().endswith((*PARQUET, *CSV)))
    else:
        found = [text] if os.path.isfile(text) else sorted(glob.glob(text, recursive=True))
    if not found:
        raise FileNotFoundError(2, "no Parquet or CSV file is there", text)
    for path in found:
        if not path.lower().endswith((*PARQUET, *CSV)):
            expected = f"files that end in {', '.join((*PARQUET, *CSV))}"
            raise OptionError(describe(text, expected, path))
    if len({path.lower().endswith(PARQUET) for path in found}) > 1:
        raise OptionError(describe(text, "Parquet or CSV files", "both", "Name one kind: *.csv"))
    return found


@contextmanager
def _understood(path: str, kind: str) -> Iterator[None]:
    """What Arrow cannot make sense of is told as an error of ours, with the file's name."""
    try:
        yield
    except ChainruleError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(describe(path, kind, one_line(str(error)))) from error


def _groups(path: str, columns: Columns, rows: int) -> list[Load]:
    # a file that cannot be opened is an OSError; one that Arrow cannot read is one to Arrow too
    with (
        open(path, "rb") as content,
        _understood(path, "a Parquet file"),
        pq.ParquetFile(content) as file,
    ):
        columns.check(path, file.schema_arrow.names)
        meta = file.metadata
        sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
    loads: list[Load] = []
    first = held = 0
    for i, size in enumerate(sizes):
        held += size
        if held >= rows or i + 1 == len(sizes):
            loads.append(RowGroups(path, first, i + 1 - first, columns))
            first, held = i + 1, 0
    return loads


def _lines(path: str, columns: Columns, before: Sequence[Load]) -> list[Load]:
    with open(path, "rb") as file, _understood(path, "a CSV file"):
        header = file.readline()
        names = (
            pc.read_csv(pa.BufferReader(header), ONE_THREAD).column_names if header.strip() else []
        )
        columns.check(path, names)
        if before and isinstance(before[0], Lines):
            schema = before[0].schema  # the first file says what all columns are
            if schema.names != names:
                came = ", ".join(map(repr, names))
                raise DataError(describe(path, "the columns of the first file", came))
        else:
            schema = _types(header, file)
        return [Lines(path, start, stop, schema, columns) for start, stop in _blocks(file, header)]


def _types(header: bytes, file: io.BufferedReader) -> pa.Schema:
    """The types of the columns, from the first block; whole numbers may have fractions later."""
    start = file.tell()
    sample = _whole_lines(file, CSV_BYTES)
    file.seek(start)
    options = pc.ConvertOptions(strings_can_be_null=True)
    content = pa.BufferReader(header + sample)
    schema = pc.read_csv(content, ONE_THREAD, convert_options=options).schema
    wider = {pa.int64(): pa.float64(), pa.null(): pa.string()}
    return pa.schema([(one.name, wider.get(one.type, one.type)) for one in schema])


def _blocks(file: io.BufferedReader, header: bytes) -> list[tuple[int, int]]:
    start, found = len(header), []
    file.seek(start)
    while text := _whole_lines(file, CSV_BYTES):
        found.append((start, start + len(text)))
        start += len(text)
    return found or [(start, start)]


def _whole_lines(file: io.BufferedReader, size: int) -> bytes:
    """About ``size`` bytes, to the end of a line that is not inside quotes."""
    text = file.read(size)
    while True:
        line = file.readline()
        text += line
        if not line or text.count(b'"') % 2 == 0:
            return text
