"""Rows as training reads them: X by input names, y, weights, all checked once and cut in blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import DataError, GraphError, ShapeError
from chainrule.graph import Graph, Node
from chainrule.ops.shapes import format_shape

BLOCK_ROWS = 8192  # bounds memory; large enough that BLAS runs at full speed


class Rows(NamedTuple):
    """What is trained on: inputs by name, target, weights (``None``: 1 each), how many rows."""

    inputs: dict[str, Any]
    y: np.ndarray
    weight: np.ndarray | None
    count: int

    def take(self, where: Any) -> Rows:
        """These rows alone, aligned; sparse inputs come out dense."""
        y = aligned(self.y[where])
        weight = None if self.weight is None else aligned(self.weight[where])
        return Rows({name: dense(X[where]) for name, X in self.inputs.items()}, y, weight, len(y))

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Rows]:
        """All rows in order, ``size`` at a time."""
        if self.count <= size:
            yield self.take(slice(None))
            return
        for start in range(0, self.count, size):
            yield self.take(slice(start, start + size))

    def total_weight(self) -> float:
        """Σ w."""
        return float(self.count) if self.weight is None else float(aligned(self.weight).sum())


class PartitionedRows(ABC):
    """Rows that lie in parts, in files or on other machines: what training asks of them.

    Attributes
    ----------
    count : int
        How many rows there are in all.
    """

    count: int

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    @abstractmethod
    def total_weight(self) -> float:
        """Σ w."""

    @abstractmethod
    def sums(self, objective: Any, theta: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Σ w·loss, Σ w, Σ w·gradient over all rows, in float64; nothing is dropped."""

    @abstractmethod
    def backend(self, objective: Any, dtype: Any) -> Any:
        """What runs mini-batches over them: an object with ``Backend.run_batches``."""

    @abstractmethod
    def wrong(self, objective: Any, theta: np.ndarray) -> Rows:
        """Some of them, with those whose loss or gradient at θ is not finite, if any is."""

    @abstractmethod
    def describe(self) -> Mapping[str, str]:
        """What a checkpoint compares of them, by name."""


def bind_rows(graph: Graph, X: Any, y: Any, sample_weight: Any = None) -> Any:
    """``X``, ``y`` and weights as ``Rows`` that the network of ``graph`` reads.

    ``PartitionedRows`` hold all three and come back as they are. What does not fit is refused.
    """
    if isinstance(X, PartitionedRows):
        if y is not None or sample_weight is not None:
            raise DataError("rows in partitions hold their targets and weights: give no y beside X")
        return X
    inputs, count = bind_inputs(graph, X)
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != count:
        raise DataError(f"y must have one entry a row: X has {count} rows, y shape {y.shape}")
    check_array(graph.targets[0], y)
    return Rows(inputs, y, check_weight(sample_weight, count), count)


def bind_inputs(graph: Graph, X: Any) -> tuple[dict[str, Any], int]:
    """``X`` as a mapping from input names to arrays, and its number of rows."""
    arrays = {name: _as_array(one) for name, one in _by_name(graph, X).items()}
    for node in graph.inputs:
        check_array(node, arrays[str(node.name)])
    rows, *others = (int(one.shape[0]) for one in arrays.values())
    if any(count != rows for count in others):
        counts = {name: int(one.shape[0]) for name, one in arrays.items()}
        raise DataError(f"all inputs must have the same number of rows, got {counts}")
    if rows == 0:
        raise DataError("X must have at least one row, got none")
    return arrays, rows


def _by_name(graph: Graph, X: Any) -> dict[str, Any]:
    names = [str(node.name) for node in graph.inputs]
    if isinstance(X, np.ndarray) or not isinstance(X, Mapping):  # abstract types are slow to ask
        if len(names) > 1:
            raise GraphError(
                f"the network has {len(names)} inputs: give X as a mapping with the keys "
                f"{', '.join(names)}"
            )
        return {names[0]: X}
    if set(X) != set(names):
        raise GraphError(
            f"X must have the keys {', '.join(names)}, got {', '.join(map(str, X)) or 'none'}"
        )
    return {name: X[name] for name in names}


def check_array(node: Node, array: Any) -> None:
    """Refuse an array whose shape or kind is not what the leaf ``node``, one a row, declares."""
    kind, shape = array.dtype.kind, tuple(array.shape)
    if kind not in "fiub":
        raise DataError(f"{_where(node)}: expected numbers, got dtype {array.dtype}")
    if node.integer and kind == "f":
        raise DataError(
            f"{_where(node)}: expected integers, got dtype {array.dtype}; "
            "encode classes as 0, 1, … first"
        )
    if shape[1:] != node.shape[1:] or len(shape) != len(node.shape):
        raise ShapeError(
            f"{_where(node)}: expected shape {format_shape(node.shape)}, got {format_shape(shape)}"
        )


def _where(node: Node) -> str:
    return f"{node.kind} {node.label!r}"


def check_weight(sample_weight: Any, rows: int) -> np.ndarray | None:
    """Weights as float64, or ``None`` where all are 1."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (rows,):
        raise DataError(f"sample_weight must have shape ({rows},), got {weight.shape}")
    if not np.all((weight >= 0) & (weight < np.inf)):
        raise DataError("sample_weight must be finite numbers ≥ 0")
    return weight


def dense(X: Any) -> np.ndarray:
    """``X`` as an aligned ndarray."""
    return X.toarray() if hasattr(X, "toarray") else aligned(X)


def aligned(array: np.ndarray) -> np.ndarray:
    """``array``, or a copy of it in memory that its numbers are at home in.

    What came as bytes of a message may begin anywhere. NumPy adds and multiplies such numbers in
    another order, so the last digits would depend on which way an array came.
    """
    return array if array.flags.aligned else array.copy(order="K")


def _as_array(X: Any) -> Any:
    """An ndarray, memory-mapped ones as they are, or a sparse matrix in rows."""
    if isinstance(X, np.ndarray):
        return X
    return X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
