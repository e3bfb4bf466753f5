"""``chainrule predict``: a table with its predictions beside it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from chainrule.cli.console import check_writable, err
from chainrule.cli.keeping import Kept, load_model
from chainrule.cli.predict_table import write_predictions
from chainrule.datasets import NumericTable, read_csv
from chainrule.errors import DataError, LabelError, describe
from chainrule.estimators import RealMLPClassifier, RealMLPRegressor
from chainrule.files import atomic_write
from chainrule.tables import TableReader


def run(model_path: Path, path: Path, output: Path | None, target: str | None) -> None:
    """Write ``path``'s rows, each with its prediction, to ``output`` or standard output."""
    if output is not None:
        check_writable(output, "--output")
    kept = load_model(model_path)
    if isinstance(kept.model, RealMLPClassifier | RealMLPRegressor):
        _of_tables(kept, path, output, target)
        return
    header = header_of(path)
    truth = target or (kept.target if kept.target in header else None)
    table = read_rows(path, kept, header, truth)
    added = _columns(kept.model, table.X)
    for name in added:
        if name in header:
            remedy = "Rename it."
            raise DataError(describe(path, f"no column {name!r}", "one", remedy))
    report = None if truth is None else _compare(path, kept.model, table, added["prediction"])
    with _opened(output) as file:
        _write(file, path, added)
    if report is not None:
        err().print(report, soft_wrap=True)


def _of_tables(kept: Kept, path: Path, output: Path | None, target: str | None) -> None:
    names = TableReader(path).names
    if target is not None and target not in names:
        came = f"only {', '.join(map(repr, names))}"
        raise DataError(describe(path, f"a column {target!r}", came))
    truth = target or (kept.target if kept.target in names else None)
    with _opened(output) as file:
        agreement = write_predictions(file, kept.model, path, truth)
    if agreement is not None:
        err().print(str(agreement), soft_wrap=True)


def header_of(path: Path) -> list[str]:
    """The names of the columns of a CSV file."""
    with open(path, encoding="utf-8-sig", newline="", errors="replace") as file:
        row = next((row for row in csv.reader(file) if row), [])
    return [name.strip() for name in row]


def read_rows(path: Path, kept: Kept, header: list[str], truth: str | None) -> NumericTable:
    """The columns of the model: by name where it knows names, else all besides the truth."""
    expected = int(kept.model.n_features_in_)
    came = len(header) - (truth in header)
    if kept.columns is None and header and came != expected:
        remedy = "Name the column that is not to be read with --target." if truth is None else ""
        where = f"{path} without {truth!r}" if truth else path
        raise DataError(describe(where, f"the model's {expected} columns", came, remedy))
    return read_csv(path, truth, kept.columns)


def _columns(model: Any, X: np.ndarray) -> dict[str, np.ndarray]:
    """What is added to the table: the prediction, and for classes the probability of each."""
    columns = {"prediction": np.asarray(model.predict(X))}
    if hasattr(model, "classes_"):
        probabilities = model.predict_proba(X)
        for label, column in zip(model.classes_, probabilities.T, strict=True):
            columns[f"p({label})"] = np.array([f"{p:.6f}" for p in column])
    return columns


def _compare(path: Path, model: Any, table: NumericTable, predicted: np.ndarray) -> str:
    """How well the predictions meet the column that was learnt."""
    y = np.asarray(table.y)
    if not hasattr(model, "classes_"):
        if y.dtype.kind not in "iuf":
            where = f"{path}, column {table.target!r}"
            raise LabelError(describe(where, "numbers", repr(str(y[0]))))
        error = np.sqrt(np.mean((y - predicted) ** 2))
        return f"{len(y):,} rows, root mean square error {error:.4g} in {table.target!r}"
    if model.classes_.dtype.kind in "US" and y.dtype.kind in "iuf":
        y = y.astype(str)  # a table without the other labels looks like numbers
    known = set(model.classes_.tolist())
    for row, label in enumerate(y.tolist(), start=1):
        if label not in known:
            classes = ", ".join(map(str, model.classes_[:12]))
            more = ", …" if len(model.classes_) > 12 else ""
            remedy = "Leave the column out to predict without comparing."
            where = f"{path}, row {row}, column {table.target!r}"
            raise LabelError(describe(where, f"one of {classes}{more}", repr(label), remedy))
    right = int(np.sum(y == predicted))
    return f"{right:,} of {len(y):,} rows right ({right / len(y):.1%}) in {table.target!r}"


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
    else:
        with atomic_write(output, "w") as file:
            yield file


def _write(file: IO[str], path: Path, added: dict[str, np.ndarray]) -> None:
    """The rows as they stand, line by line, and the added columns."""
    writer = csv.writer(file, lineterminator="\n")
    with open(path, encoding="utf-8-sig", newline="") as source:
        rows = (row for row in csv.reader(source) if row)
        writer.writerow([*next(rows), *added])
        values: Sequence[list[Any]] = [column.tolist() for column in added.values()]
        for row, more in zip(rows, zip(*values, strict=True), strict=True):
            writer.writerow([*row, *more])
