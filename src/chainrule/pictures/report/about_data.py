"""The part of a report that is about the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.graph.markup import Markup, join, tag
from chainrule.pictures.report.parts import data_table, note, section
from chainrule.pictures.report.subject import Subject, rows_of, take
from chainrule.pictures.style import short
from chainrule.tables import ColumnEncoder, as_table

COLUMNS = 40
"""Columns that are listed; of more, the first."""
LOOKED_AT = 20_000


def data_section(subject: Subject) -> Markup:
    """Rows, columns, classes or the range of the target, and what each column holds."""
    parts: list[Any] = []
    if subject.data:
        parts.append(tag("p", subject.data))
    if not subject.has_rows:
        parts.append(note("No rows were given: what needs them is left out. Add --data FILE."))
        return section("data", "Data", *parts)
    parts += [_target(subject), _columns(subject)]
    return section("data", "Data", *parts)


def _target(subject: Subject) -> Markup:
    y = subject.truth
    name = subject.target or "target"
    if y.ndim > 1:
        return tag("p", tag("b", name), f": {y.shape[1]} numbers or labels a row.")
    if not subject.classifies:
        numbers = y.astype(np.float64)
        said = f"{numbers.min():.5g} … {numbers.max():.5g}, mean {numbers.mean():.5g}"
        return tag("p", tag("b", name), f": a quantity, {said}.")
    classes, counts = np.unique(y, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    bars = [_bar(classes[i], int(counts[i]), int(counts.max()), len(y)) for i in order[:COLUMNS]]
    more = len(classes) - len(bars)
    rest = [tag("p", f"and {more:,} more classes")] if more > 0 else []
    heads = ("class", "rows", "share", "")
    caption = f"{name}: {len(classes):,} classes among these {len(y):,} rows"
    return join([data_table(heads, bars, {1, 2}, caption), *rest])


def _bar(label: Any, count: int, most: int, total: int) -> list[Any]:
    bar = tag("span", class_="bar", style=f"width:{100 * count / most:.0f}%")
    inside = tag("span", bar, class_="bars", aria_hidden="true")
    return [short(label), f"{count:,}", f"{count / total:.1%}", inside]


def _columns(subject: Subject) -> Markup:
    """Name, type, missing, range or levels of each column, as the encoder of tables sees it."""
    if subject.image_shape is not None:
        height, width = subject.image_shape
        values = np.asarray(subject.shown)
        said = f"{values.min():.5g} to {values.max():.5g}"
        return tag("p", f"Each row is an image of {height} × {width} pixels, from {said}.")
    encoder = getattr(subject.model, "encoder_", None)
    try:
        if encoder is None:
            encoder = ColumnEncoder().fit(_named(subject))
        rows = encoder.summary().rows
    except ChainruleError as error:
        return note(f"The columns cannot be summed up: {error}")
    shown = [
        [tag("b", short(row.column)), row.type, row.missing, row.content] for row in rows[:COLUMNS]
    ]
    heads = ("column", "type", "missing", "levels or range")
    more = f"; the first {COLUMNS} are listed" if len(rows) > COLUMNS else ""
    return data_table(heads, shown, {2}, f"{len(rows):,} columns{more}")


def _named(subject: Subject) -> Any:
    """The rows, not too many of them, as a table with the names that are known."""
    X = subject.shown
    if rows_of(X) > LOOKED_AT:
        X = take(X, np.linspace(0, rows_of(X) - 1, LOOKED_AT).astype(int))
    if hasattr(X, "toarray"):
        X = X.toarray()
    columns = subject.columns
    if columns is not None and isinstance(X, np.ndarray) and len(columns) == X.shape[1]:
        return as_table({name: X[:, i] for i, name in enumerate(columns)})
    return as_table(X)
