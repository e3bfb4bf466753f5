"""The arrays that a graph's leaves take: each once, of its shape, all with the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.errors import DataError, GraphError, ShapeError
from chainrule.graph.graph import Graph
from chainrule.graph.node import Apply, Constant, Mask, Node, Parameter
from chainrule.ops import ROWS
from chainrule.ops.shapes import format_shape

Values = Mapping[Any, Any]  # keys: nodes or names


def resolve(graph: Graph, values: Values) -> dict[Node, Any]:
    """``values`` by node; none of them given twice, by name and by node."""
    given: dict[Node, Any] = {}
    for key, value in values.items():
        node = graph.resolve(key)
        if node in given:
            raise GraphError(f"{graph.names[node]!r} is given twice, by name and by node")
        if isinstance(node, (Apply, Constant)):
            what = "computed" if isinstance(node, Apply) else "a constant"
            raise GraphError(f"{graph.names[node]!r} is {what}: it takes no value")
        given[node] = value
    return given


def precision(given: dict[Node, Any]) -> np.dtype:
    """Single where every parameter given is, else double."""
    kinds = [
        np.asarray(value).dtype for node, value in given.items() if isinstance(node, Parameter)
    ]
    if kinds and all(kind == np.float32 for kind in kinds):
        return np.dtype(np.float32)
    return np.dtype(np.float64)


def bind(graph: Graph, given: dict[Node, Any], dtype: np.dtype) -> dict[Node, np.ndarray]:
    """An array for every leaf, checked against its shape; rows agree throughout."""
    bound: dict[Node, np.ndarray] = {}
    rows: tuple[str, int] | None = None
    for node in graph.order:
        if isinstance(node, Apply):
            continue
        if isinstance(node, Constant):
            bound[node] = graph.constant(node, dtype)
        elif node in given:
            bound[node] = _leaf_array(node, given[node], dtype, graph.names[node])
            if node.shape[:1] == (ROWS,):
                rows = _same_rows(rows, graph.names[node], len(bound[node]))
        elif not isinstance(node, Mask):
            raise GraphError(
                f"no value for the {node.kind} {graph.names[node]!r}; give one by name"
            )
    for node in graph.masks:
        if node not in bound:
            count = rows[1] if rows else 1
            shape = tuple(count if size == ROWS else int(size) for size in node.shape)
            bound[node] = np.broadcast_to(np.ones((), dtype), shape)
    return bound


def _leaf_array(node: Node, value: Any, dtype: np.dtype, name: str) -> np.ndarray:
    array = np.asarray(value)
    expected = format_shape(node.shape)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{node.kind} {name!r}: expected numbers, got dtype {array.dtype}")
    if node.integer and array.dtype.kind == "f":
        raise DataError(
            f"{node.kind} {name!r}: expected integers, got dtype {array.dtype}; "
            "encode classes as 0, 1, … first"
        )
    fits = array.ndim == len(node.shape) and all(
        size in (ROWS, met) for size, met in zip(node.shape, array.shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{node.kind} {name!r}: expected shape {expected}, got {format_shape(array.shape)}"
        )
    return array if node.integer else array.astype(dtype, copy=False)


def _same_rows(rows: tuple[str, int] | None, name: str, count: int) -> tuple[str, int]:
    if rows is not None and rows[1] != count:
        raise ShapeError(
            f"{name!r} has {count} rows but {rows[0]!r} has {rows[1]}; they must be equal"
        )
    return (name, count)
