"""``chainrule predict`` with a model of tables: chunk by chunk, rows as they stand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from chainrule.cli.console import complain
from chainrule.datasets.csv_rows import numbered_rows, open_text
from chainrule.errors import DataError, LabelError, describe
from chainrule.tables import Table, TableReader
from chainrule.tables.task import target_values

CHUNK_ROWS = 16_384


class Agreement:
    """How well the predictions meet the column that was learnt, chunk after chunk."""

    def __init__(self, model: Any, target: str) -> None:
        self.model = model
        self.target = target
        self.rows = 0
        self.right = 0
        self.squares = 0.0

    def add(self, table: Table, predicted: np.ndarray) -> None:
        """Compare with the rows that have a truth."""
        column = table[self.target]
        present = np.flatnonzero(~column.missing)
        if not len(present):
            return
        y, predicted = target_values(column.take(present)), predicted[present]
        self.rows += len(y)
        if hasattr(self.model, "classes_"):
            if self.model.classes_.dtype.kind in "US":
                y = y.astype(str)
            self.right += int(np.sum(y == predicted))
            return
        if y.dtype.kind not in "fiu":
            row = int(present[0])
            raise LabelError(describe(column.where(row), "a number", column.shown(row)))
        self.squares += float(np.sum((y - predicted) ** 2))

    def __str__(self) -> str:
        if hasattr(self.model, "classes_"):
            share = self.right / self.rows
            return f"{self.right:,} of {self.rows:,} rows right ({share:.1%}) in {self.target!r}"
        error = np.sqrt(self.squares / self.rows)
        return f"{self.rows:,} rows, root mean square error {error:.4g} in {self.target!r}"


def write_predictions(file: IO[str], model: Any, path: Path, truth: str | None) -> Agreement | None:
    """Every row of ``path`` with its prediction; how well these meet ``truth``, if it is there."""
    reader = TableReader(path, chunk_rows=CHUNK_ROWS)
    added = added_names(model)
    for name in added:
        if name in reader.names:
            raise DataError(describe(path, f"no column {name!r}", "one", "Rename it."))
    strangers = _strangers(model, reader, truth)
    agreement = Agreement(model, truth) if truth is not None else None
    writer = csv.writer(file, delimiter=reader.separator, lineterminator="\n")
    with open_text(path) as source:
        raw = numbered_rows(path, source, reader.separator)
        _, header = next(raw)
        writer.writerow([*header, *added])
        for table in reader:
            columns = _predicted(model, table.without(*strangers))
            if agreement is not None:
                agreement.add(table, columns[0])
            rows = (cells for _, cells in islice(raw, table.rows))
            writer.writerows(_joined(rows, columns, reader.decimal_comma))
    return agreement if agreement is not None and agreement.rows else None


def added_names(model: Any) -> list[str]:
    """The columns that are added: the prediction, and for classes the probability of each."""
    return ["prediction", *(f"p({label})" for label in getattr(model, "classes_", ()))]


def _strangers(model: Any, reader: TableReader, truth: str | None) -> list[str]:
    """Columns that the model does not know: kept in the rows, not read."""
    known = set(getattr(model, "feature_names_in_", reader.names))
    strangers = [name for name in reader.names if name not in known]
    others = [name for name in strangers if name != truth]
    if others:
        complain(f"note: not known to the model, kept as they are: {', '.join(map(repr, others))}")
    return strangers


def _predicted(model: Any, table: Table) -> list[np.ndarray]:
    if not hasattr(model, "classes_"):
        return [model.predict(table)]
    p = model.predict_proba(table)
    return [model.classes_[p.argmax(axis=1)], *p.T]


def _joined(
    rows: Iterator[list[str]], columns: list[np.ndarray], decimal_comma: bool
) -> Iterator[list[str]]:
    first, *shares = columns
    numbers = first.dtype.kind == "f"
    for cells, label, *p in zip(
        rows, first.tolist(), *(one.tolist() for one in shares), strict=True
    ):
        more = [f"{label:.9g}" if numbers else str(label), *(f"{share:.6f}" for share in p)]
        if decimal_comma:
            more = [more[0].replace(".", ",") if numbers else more[0]] + [
                one.replace(".", ",") for one in more[1:]
            ]
        yield [*cells, *more]
