"""Rows as the native module reads them: arrays as they are where it can, converted where not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.engine.program import Leaf, Program
from chainrule.errors import DataError, LabelError, ShapeError

_READABLE = {np.dtype(name) for name in ("uint8", "int32", "int64", "float32", "float64")}


def native_rows(program: Program, inputs: Any, target: Any) -> tuple[list[Any], int]:
    """One entry for each of ``program.inputs``, and the number of rows.

    Raises
    ------
    DataError, ShapeError
        When an array is missing, or has the wrong shape or type; it is named.
    """
    if not isinstance(inputs, (dict, Mapping)):
        inputs = _by_name(program, inputs)
    entries: list[Any] = []
    counts: dict[str, int] = {}
    for leaf in program.inputs:
        if leaf.kind == "input" and leaf.name not in inputs:
            names = ", ".join(program.input_names)
            raise DataError(f"input {leaf.name!r} is missing; expected {names}")
        value = inputs[leaf.name] if leaf.kind == "input" else target
        if value is None:
            raise DataError(f"{leaf.kind} {leaf.name!r} is missing: the loss reads it")
        entry, counts[leaf.name] = _native_array(leaf, value)
        entries.append(entry)
    rows = next(iter(counts.values()), 0)
    if any(count != rows for count in counts.values()):
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ShapeError(f"inputs and target must have the same number of rows, got {told}")
    return entries, rows


def _by_name(program: Program, inputs: Any) -> dict[str, Any]:
    names = program.input_names
    if len(names) > 1:
        raise DataError(f"the network has the inputs {', '.join(names)}: give a mapping")
    return dict.fromkeys(names, inputs)


def _native_array(leaf: Leaf, value: Any) -> tuple[Any, int]:
    if not isinstance(value, np.ndarray) and hasattr(value, "tocsr"):
        return _sparse(leaf, value), value.shape[0]
    array, labels = np.asarray(value), leaf.space == "labels"
    kind = array.dtype.kind
    if array.shape[1:] != leaf.shape or array.ndim == 0:
        expected = ", ".join(["rows", *map(str, leaf.shape)])
        raise ShapeError(f"{_where(leaf)}: expected shape ({expected}), got {array.shape}")
    if kind not in "fiub":
        raise DataError(f"{_where(leaf)}: expected numbers, got dtype {array.dtype}")
    if labels and kind == "f":
        raise DataError(f"{_where(leaf)}: expected integers, got dtype {array.dtype}")
    array = readable(array, integer=labels)
    return (array if array.ndim <= 2 else array.reshape(len(array), -1)), len(array)


def _where(leaf: Leaf) -> str:
    return f"{leaf.kind} {leaf.name!r}"


def readable(array: np.ndarray, *, integer: bool = False) -> np.ndarray:
    """``array`` itself where native code can read it in place, else a converted copy."""
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    if array.dtype not in _READABLE:  # also another byte order
        wide = np.int64 if integer or array.dtype.kind in "iu" else np.float64
        array = array.astype(np.float32 if array.dtype == np.float16 else wide)
    flags = array.flags
    whole = flags.c_contiguous or all(stride % array.itemsize == 0 for stride in array.strides)
    return array if whole and flags.aligned else np.ascontiguousarray(array)


def _sparse(leaf: Leaf, value: Any) -> tuple[Any, Any, Any, int]:
    if leaf.space == "labels":
        raise DataError(f"{_where(leaf)}: expected integers in an array, got a sparse matrix")
    if getattr(value, "format", "") != "csr":
        value = value.tocsr()
    if tuple(value.shape[1:]) != leaf.shape:
        raise ShapeError(f"{_where(leaf)}: expected {leaf.width} columns, got shape {value.shape}")
    index = np.result_type(value.indices, value.indptr)
    return (
        readable(np.ascontiguousarray(value.data)),
        np.ascontiguousarray(value.indices, index),
        np.ascontiguousarray(value.indptr, index),
        leaf.width,
    )


def native_weight(weight: Any, rows: int) -> np.ndarray | None:
    """Row weights as float64."""
    if weight is None:
        return None
    array = np.ascontiguousarray(weight, np.float64)
    if array.shape != (rows,):
        raise ShapeError(f"weights must have shape ({rows},), got {array.shape}")
    return array


def refuse_rows(program: Program, trouble: tuple[Any, ...]) -> None:
    """Raise what was found wrong while gathering: a value that is not finite or not allowed."""
    what, row, value, source = trouble
    leaf = program.inputs[source]
    where = f"{_where(leaf)}, row {row}"
    if what == 1:
        kind = "NaN" if np.isnan(value) else "infinity"
        raise DataError(f"{where}: expected finite numbers, got {kind}")
    if what == 2:
        high = "" if np.isinf(leaf.high) else f"{leaf.high:g}"
        raise LabelError(f"{where}: expected values in [{leaf.low:g}, {high}], got {value:g}")
    raise DataError(f"{where}: malformed sparse row; its indices must lie in [0, {leaf.width})")
