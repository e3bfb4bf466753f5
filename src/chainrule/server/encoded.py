"""Points from a table of any columns, encoded: all features, or two principal components."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import DataError, describe
from chainrule.server.points import Points, split
from chainrule.server.tables import MAX_ROWS, header_of, points_of_arrays
from chainrule.tables import ColumnEncoder, Table, read_table
from chainrule.tables.task import target_values

MAX_FEATURES = 200
READINGS = ("direct", "columns", "components")
"""Two columns as they stand; all, encoded; the two principal components of all, encoded."""


def points_of_table(
    content: bytes,
    columns: Sequence[str],
    target: str,
    *,
    reading: str = "columns",
    train_share: float = 0.5,
    seed: int = 0,
    name: str = "file",
) -> Points:
    """The columns of a CSV file through ``ColumnEncoder``, as points; ``target`` as label.

    The encoder and the components learn from the rows to learn from only; nothing of the test
    rows flows back.

    Parameters
    ----------
    columns : sequence of str
        Those to learn from; none means all but the target.
    reading : {"columns", "components"}
        Every encoded feature as a column of the points, or the first two principal components.

    Raises
    ------
    DataError
        A column that cannot be encoded, too many features, too few rows: named.
    """
    table = table_of(content, name)
    if target not in table or target in columns:
        raise DataError(describe("target", "a column that is not learnt from", target))
    chosen = table.select(list(columns)) if columns else table.without(target)
    if not 4 <= table.rows <= MAX_ROWS:
        raise DataError(describe(name, f"4 to {MAX_ROWS} rows", table.rows))
    missing = table[target].missing
    if missing.any():
        where = table[target].where(int(missing.argmax()))
        raise DataError(describe(where, "a label", "none"))
    order = np.random.default_rng(seed).permutation(table.rows)
    n_train = split(len(order), train_share)
    encoder = _fitted(chosen.take(order[:n_train]))
    features = encoder.transform(chosen.take(order)).astype(np.float64)
    names = tuple(map(str, encoder.get_feature_names_out()))
    if reading == "components":
        features, names = components(features, n_train)
    y = target_values(table[target])[order]
    points = points_of_arrays(features, y, names, most_columns=MAX_FEATURES)
    return replace(points, n_train=n_train)


def components(X: np.ndarray, n_train: int) -> tuple[np.ndarray, tuple[str, str]]:
    """X (rows, features) on the two directions in which its first rows vary most.

    (X − mean) V, V the first two right singular vectors of those rows; the names say which share
    of the variance each has. A direction is turned so that its largest entry is positive.
    """
    mean = X[:n_train].mean(axis=0)
    _, sizes, V = np.linalg.svd(X[:n_train] - mean, full_matrices=False)
    V = V[:2] * np.sign(np.take_along_axis(V[:2], np.abs(V[:2]).argmax(axis=1)[:, None], axis=1))
    shares = sizes[:2] ** 2 / max(float((sizes**2).sum()), 1e-300)
    names = [f"PC{i + 1} ({share:.0%})" for i, share in enumerate(shares)]
    if len(V) < 2:
        raise DataError(describe("columns", "at least 2 features for 2 components", len(V)))
    return (X - mean) @ V.T, (names[0], names[1])


def table_of(content: bytes, name: str) -> Table:
    """The whole table, within the limits of an upload."""
    header_of(content, name)
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        try:
            return read_table(path, separator=",")
        except DataError as error:
            raise DataError(str(error).replace(str(path), name)) from None


def kinds_of(content: bytes, name: str) -> list[str] | None:
    """What the columns of a table seem to hold, or None where it cannot be read."""
    try:
        table = table_of(content, name)
        return [_kind(table, column) for column in table]
    except DataError:
        return None


def _kind(table: Table, column: str) -> str:
    try:
        return ColumnEncoder().fit(table.select([column])).columns_[0].kind
    except DataError:  # free text, or cells of several kinds
        return "text"


def _fitted(table: Table) -> ColumnEncoder:
    encoder: Any = ColumnEncoder(max_one_hot=None).fit(table)
    names = encoder.get_feature_names_out()
    if len(names) > MAX_FEATURES:
        widths = {
            spec.name: len(spec.encoding.features(spec.name))
            for spec in encoder.columns_
            if spec.used
        }
        widest = max(widths, key=lambda one: widths[one])
        came = f"{len(names)}, {widths[widest]} of them of {widest!r}"
        remedy = "Leave that column out."
        raise DataError(describe("columns", f"at most {MAX_FEATURES} features", came, remedy))
    if len(names) < 2:
        raise DataError(describe("columns", "at least 2 features", f"{len(names)} after encoding"))
    return encoder
