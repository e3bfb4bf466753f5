"""A table read, described, and cut into rows to learn from and rows to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.console import Console
from sklearn.model_selection import train_test_split

from chainrule.cli.console import complain
from chainrule.cli.options import TableOptions
from chainrule.errors import DataError, OptionError, describe
from chainrule.estimators.realmlp_training import LEAST_MISSING
from chainrule.tables import ColumnEncoder, Table, TextColumnError, read_table
from chainrule.tables.task import holds_classes, target_values

TEST_SHARE = 0.25


@dataclass(frozen=True)
class Split:
    """A table cut into rows to learn from and to test with.

    Attributes
    ----------
    train, test : Table
        Without the target.
    y_train, y_test : ndarray
    classes : bool
    target : str
    types : dict of str to str
        What columns were declared to be; text columns that are left out among them.
    """

    train: Table
    test: Table
    y_train: np.ndarray
    y_test: np.ndarray
    classes: bool
    target: str
    types: dict[str, str]


def open_split(console: Console, options: TableOptions) -> Split:
    """Read the table, say what is in it, and hold rows back."""
    table = read_table(options.source)
    if options.target not in table:
        came = f"only {', '.join(map(repr, table.names))}"
        raise DataError(describe(options.source, f"a column {options.target!r}", came))
    missing = table[options.target].missing
    if missing.all():
        raise DataError(describe(f"column {options.target!r}", "values to learn", "none"))
    table = table.take(np.flatnonzero(~missing))
    y = target_values(table[options.target])
    classes = _is_classification(y, options)
    y = _as_task(y, classes, options.target)
    X = table.without(options.target)
    train, test = _rows(y, classes, options)
    console.print(f"\n [bold]{options.source.stem}[/]: {_in_words(X, y, classes, options.target)}")
    if missing.any():
        complain(f"note: {int(missing.sum()):,} rows without {options.target!r} are left out")
    types = _types(X.take(train), options)
    console.print(f" {len(train):,} rows to learn from, {len(test):,} to test\n")
    encoder = ColumnEncoder(types=types, least_missing=LEAST_MISSING).fit(X.take(train))
    console.print(encoder.summary())
    console.print()
    return Split(X.take(train), X.take(test), y[train], y[test], classes, options.target, types)


def _is_classification(y: np.ndarray, options: TableOptions) -> bool:
    if options.task is not None:
        return options.task == "classification"
    return holds_classes(y)


def _as_task(y: np.ndarray, classes: bool, target: str) -> np.ndarray:
    if classes:
        if len(np.unique(y)) < 2:
            came = f"only {y[0]}"
            raise DataError(describe(f"column {target!r}", "at least two classes", came))
        return y.astype(str) if y.dtype.kind not in "iuU" else y
    if y.dtype.kind not in "fiu":
        came = f"text such as {str(y[0])!r}"
        raise OptionError(describe(f"--task regression: column {target!r}", "numbers", came))
    return y.astype(np.float64)


def _rows(y: np.ndarray, classes: bool, options: TableOptions) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the rows to learn from and to test with, by class where there are enough."""
    if len(y) < 8:
        remedy = "A quarter is held back to test with."
        raise DataError(describe(options.source, "at least 8 rows with a target", len(y), remedy))
    stratify = None
    if classes:
        counts = np.unique(y, return_counts=True)[1]
        stratify = y if counts.min() >= 2 and int(TEST_SHARE * len(y)) >= len(counts) else None
    train, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, random_state=options.seed, stratify=stratify
    )
    return np.sort(train), np.sort(test)


def _types(X: Table, options: TableOptions) -> dict[str, str]:
    """What columns are declared to be; free text is left out, and said to be."""
    types = dict(options.types)
    try:
        ColumnEncoder(types=types).fit(X)
    except TextColumnError as error:
        names = ", ".join(map(repr, error.columns))
        complain(f"note: left out as free text: {names}; --type NAME=categorical keeps one")
        types |= dict.fromkeys(error.columns, "ignored")
    return types


def _in_words(X: Table, y: np.ndarray, classes: bool, target: str) -> str:
    rows = f"{X.rows:,} rows, {len(X.names)} columns\n [bold]{target}[/]:"
    if not classes:
        return f"{rows} values from {y.min():g} to {y.max():g}"
    labels, counts = np.unique(y, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:4]
    shares = [f"{labels[i]} ({counts[i] / len(y):.1%})" for i in order]
    more = [] if len(labels) <= 4 else ["…"]
    return f"{rows} {len(labels)} classes, {', '.join([*shares, *more])}"
