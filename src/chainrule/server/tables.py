"""Points from somebody's CSV file: two columns, a target, limits and clear refusals."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from chainrule.datasets import read_csv
from chainrule.datasets.csv_rows import numbered_rows
from chainrule.errors import DataError, describe
from chainrule.server.points import Points, split
from chainrule.tables.task import holds_classes

MAX_BYTES = 4 * 2**20
MAX_ROWS = 10_000
MAX_COLUMNS = 200
MAX_CLASSES = 10
MAX_NAME = 100
TABLE_NAME = "table.csv"
INNER = 5.0


class TooLarge(DataError):
    """More bytes than are read."""


def file_name(told: str) -> str:
    """The last part of a file's name that a page tells, escaped for a URL; else ``TABLE_NAME``."""
    name = re.split(r"[/\\]", unquote(told))[-1]
    is_plain = name.isprintable() and name.strip(". ") and len(name) <= MAX_NAME
    return name if is_plain and "\ufffd" not in name else TABLE_NAME


def header_of(content: bytes, name: str = "file") -> list[str]:
    """The names of the columns; refuses what is no table before anything else is read.

    ``name`` is what the messages call it.
    """
    check_size(len(content), name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "Save the file as UTF-8."
        raise DataError(describe(name, "text in UTF-8", str(error), remedy)) from None
    if "\0" in text:
        raise DataError(describe(name, "text", "a byte 0"))
    rows = text.count("\n") + text.count("\r")
    if rows > 2 * MAX_ROWS + 2:
        raise DataError(describe(name, f"at most {MAX_ROWS} rows", f"about {rows}"))
    names = _first_line(text, name)
    if len(names) > MAX_COLUMNS:
        raise DataError(describe(name, f"at most {MAX_COLUMNS} columns", len(names)))
    if len(names) < 3:
        remedy = "Two columns are drawn, a third is what is learnt."
        raise DataError(describe(name, "at least 3 columns", len(names), remedy))
    longest = max(names, key=len)
    if len(longest) > MAX_NAME:
        expected = f"column names of at most {MAX_NAME} signs"
        raise DataError(describe(name, expected, len(longest)))
    return names


def points_of_csv(
    content: bytes,
    columns: Sequence[str],
    target: str,
    *,
    train_share: float = 0.5,
    seed: int = 0,
    name: str = "file",
) -> Points:
    """Two columns of a CSV file as points in [−5, 5]², in random order; ``target`` as label.

    Text and up to ten different whole numbers are classes; other numbers are values, scaled
    to [−1, 1].

    Raises
    ------
    DataError
        Says the line and column where there is one, what was expected and what came.
    """
    header_of(content, name)
    if len(columns) != 2 or columns[0] == columns[1] or target in columns:
        came = ", ".join([*columns, target])
        raise DataError(describe("columns", "two different columns and another as target", came))
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        try:
            table = read_csv(path, target=target, columns=list(columns))
        except DataError as error:
            raise DataError(str(error).replace(str(path), name)) from None
    if len(table.X) > MAX_ROWS:
        raise DataError(describe(name, f"at most {MAX_ROWS} rows", len(table.X)))
    points = points_of_arrays(table.X, np.asarray(table.y), (columns[0], columns[1]))
    return shuffled(points, train_share, seed)


def points_of_arrays(
    X: np.ndarray,
    y: np.ndarray,
    axes: tuple[str, ...],
    classes: bool | None = None,
    most_columns: int = 2,
) -> Points:
    """Points scaled to [−5, 5] in each column, and a target.

    ``classes`` says whether the target holds classes; None: as its values suggest.
    """
    X = np.asarray(X, np.float64)
    if X.ndim != 2 or not 2 <= X.shape[1] <= most_columns:
        wanted = "2 columns" if most_columns == 2 else f"2 to {most_columns} columns"
        remedy = "Choose some of them, for example X[:, :2]."
        raise DataError(describe("X", wanted, f"shape {X.shape}", remedy))
    if not 4 <= len(X) <= MAX_ROWS:
        remedy = f"Take a part of them, for example X[:{MAX_ROWS}]." if len(X) > 4 else ""
        raise DataError(describe("X", f"4 to {MAX_ROWS} rows", len(X), remedy))
    if not np.isfinite(X).all():
        raise DataError(describe("X", "finite numbers", "NaN or infinity"))
    low, high = X.min(axis=0), X.max(axis=0)
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    with np.errstate(over="ignore", divide="ignore"):
        scale = np.where(half > 0, INNER / np.where(half > 0, half, 1), 1.0)
    if not (np.isfinite(scale).all() and np.isfinite(middle).all()):
        raise DataError(describe("X", "columns whose range can be scaled", f"{low} to {high}"))
    labels, names, shift, spread = _labels(np.asarray(y), classes)
    if len(labels) != len(X):
        raise DataError(describe("y", f"{len(X)} labels, one a row", len(labels)))
    offset, factor = tuple(map(float, middle)), tuple(map(float, scale))
    scaled = (X - middle) * scale
    return Points(scaled, labels, len(X), names, axes, offset, factor, shift, spread)


def shuffled(points: Points, train_share: float, seed: int) -> Points:
    """The same points in a random order, split."""
    order = np.random.default_rng(seed).permutation(len(points.X))
    n_train = split(len(order), train_share)
    return replace(points, X=points.X[order], y=points.y[order], n_train=n_train)


def _labels(
    y: np.ndarray, classes: bool | None
) -> tuple[np.ndarray, tuple[str, ...], float, float]:
    """Codes and names of classes, or values in [−1, 1] with their offset and scale."""
    if y.ndim != 1:
        raise DataError(describe("y", "one label a row", f"shape {y.shape}"))
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(describe("y", "finite numbers", "NaN or infinity"))
    names, codes = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise DataError(describe("target", "at least two different labels", len(names)))
    if classes or (classes is None and holds_classes(y, MAX_CLASSES)):
        if len(names) > MAX_CLASSES:
            raise DataError(describe("target", f"at most {MAX_CLASSES} classes", len(names)))
        texts = [f"{name:g}" if y.dtype.kind == "f" else str(name) for name in names]
        return codes.astype(np.int64), tuple(text[:MAX_NAME] for text in texts), 0.0, 1.0
    if y.dtype.kind not in "fiu":
        raise DataError(describe("target", f"at most {MAX_CLASSES} classes", len(names)))
    low, high = float(y.min()), float(y.max())
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    if not np.isfinite(half) or half <= 0:
        raise DataError(describe("target", "values whose range can be scaled", f"{low} to {high}"))
    return (y.astype(np.float64) - middle) / half, (), middle, half


def _first_line(text: str, name: str) -> list[str]:
    """Its cells, a comma inside quotes being none that separates."""
    _, cells = next(numbered_rows(Path(name), io.StringIO(text, newline="")), (0, []))
    return [cell.strip() for cell in cells]


def check_size(count: int, name: str, most: int = MAX_BYTES) -> None:
    """Refuse a file of more bytes than are read."""
    if count > most:
        raise TooLarge(describe(name, f"at most {most} bytes", count))
