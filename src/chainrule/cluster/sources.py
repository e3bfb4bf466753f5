"""Where pieces of data come from: a list of loads, each of which says where it is and reads it.

A load is plain data. It is read in this process, or sent to a worker that reads it there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from chainrule.errors import ChainruleError, DataError, describe, one_line
from chainrule.estimators.pieces import Piece
from chainrule.training.rows import aligned


class Load(ABC):
    """Something that can be read as X, targets and weights."""

    @property
    @abstractmethod
    def where(self) -> str:
        """How messages call it: file and row group, partition number."""

    @abstractmethod
    def read(self) -> tuple[Any, Any, Any]:
        """X, y, weight or None."""

    def piece(self, number: int) -> Piece:
        """What ``read`` gives, as a piece; what goes wrong names the place."""
        with named(self.where):
            return as_piece(number, *self.read())


def as_piece(number: int, X: Any, y: Any, weight: Any) -> Piece:
    """X, y and weight as a piece: target and weights as arrays of as many rows as X."""
    y = np.asarray(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    rows = int(X.shape[0])
    for name, array in (
        ("y", y),
        ("sample_weight", None if weight is None else np.asarray(weight)),
    ):
        if array is not None and (array.ndim == 0 or len(array) != rows):
            raise DataError(describe(name, f"{rows} rows as X has", array.shape))
    if rows and y.dtype.kind in "fO":
        lost = np.array([one is None or one != one for one in y.ravel().tolist()])
        if lost.any():
            row = int(np.argmax(lost)) // max(y.size // rows, 1)
            remedy = "Leave rows without a target out first."
            raise DataError(describe("y", "a target in every row", f"none in row {row}", remedy))
    weights = None if weight is None else aligned(np.asarray(weight, np.float64))
    return Piece(number, X, aligned(y), weights)


@contextmanager
def named(where: str) -> Iterator[None]:
    """What goes wrong with data in the block is told with its place in front."""
    try:
        yield
    except ChainruleError as error:
        if not isinstance(error, ValueError | TypeError):
            raise
        raise type(error)(f"{where}: {error}") from error
    except (ValueError, TypeError, OSError, pa.ArrowException) as error:
        raise DataError(f"{where}: {one_line(str(error))}") from error


@dataclass(frozen=True)
class Block(Load):
    """Rows of arrays in memory or memory-mapped, dense or sparse, or of a frame."""

    name: str
    X: Any
    y: Any
    weight: Any = None

    @property
    def where(self) -> str:
        """Its name."""
        return self.name

    def read(self) -> tuple[Any, Any, Any]:
        """The rows as they are."""
        return self.X, self.y, self.weight


@dataclass(frozen=True)
class Delayed(Load):
    """A partition of a Dask collection, computed where it is read."""

    name: str
    parts: Any

    @property
    def where(self) -> str:
        """Its name."""
        return self.name

    def read(self) -> tuple[Any, Any, Any]:
        """The partition, computed in this process."""
        return self.parts.compute(scheduler="synchronous")


BLOCK_ROWS = 1 << 20
"""Rows of a block of an array."""


def blocks_of(X: Any, y: Any, weight: Any, rows: int = BLOCK_ROWS) -> list[Load]:
    """An array in blocks of ``rows`` rows, or a list of blocks as it is."""
    if isinstance(X, (list, tuple)):
        return _given(X, y, weight)
    count = int(X.shape[0])
    if y is None or len(y) != count:
        came = "none" if y is None else len(y)
        raise DataError(describe("y", f"{count} targets, as many as X has rows", came))
    return [
        Block(
            f"rows {start} to {min(start + rows, count)}",
            X[start : start + rows],
            y[start : start + rows],
            None if weight is None else weight[start : start + rows],
        )
        for start in range(0, max(count, 1), rows)
    ]


def _given(X: Sequence[Any], y: Any, weight: Any) -> list[Load]:
    for name, blocks in (("y", y), ("sample_weight", weight)):
        if blocks is not None and len(blocks) != len(X):
            expected = f"a list of {len(X)} blocks, as X is"
            raise DataError(describe(name, expected, f"{len(blocks)}"))
    if y is None:
        raise DataError(describe("y", f"a list of {len(X)} blocks, as X is", "none"))
    weights = [None] * len(X) if weight is None else weight
    triples = zip(X, y, weights, strict=True)
    return [Block(f"block {i}", *triple) for i, triple in enumerate(triples)]
