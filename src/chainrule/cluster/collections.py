"""Partitions of Dask arrays and data frames: X, targets and weights of the same rows together."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from chainrule.cluster import on_workers
from chainrule.cluster.sources import Delayed
from chainrule.errors import DataError, WrongTypeError, describe


def dask_loads(X: Any, y: Any, weight: Any) -> list[Delayed]:
    """The partitions of X as loads, with those of y and of weights.

    Parameters
    ----------
    X : dask array of shape (rows, columns), or dask data frame
    y, weight : dask array or series, ndarray, or the name of a column of X

    Raises
    ------
    DataError, WrongTypeError
        y is missing, or is partitioned otherwise and nobody knows how.
    """
    if hasattr(X, "to_delayed") and hasattr(X, "columns"):
        X, columns = _without(X, y, weight)
        y, weight = columns.get("y", y), columns.get("weight", weight)
    elif isinstance(y, str) or isinstance(weight, str):
        raise WrongTypeError(describe("target", "an array beside an array", "a column's name"))
    elif X.ndim != 2:
        raise DataError(describe("X", "a Dask array of (rows, columns)", f"{X.ndim} dimensions"))
    else:
        X = X.rechunk({1: -1})
    if y is None:
        raise DataError(describe("target", "targets, or the name of their column", "none"))
    parts = [_delayed(X, X, "X"), _delayed(y, X, "y")]
    if weight is not None:
        parts.append(_delayed(weight, X, "sample_weight"))
    return [
        Delayed(f"partition {i}", delayed(on_workers.gather)(*part))
        for i, part in enumerate(zip(*parts, strict=True))
    ]


def is_dask(thing: Any) -> bool:
    """Whether it is a Dask collection."""
    return type(thing).__module__.partition(".")[0] == "dask"


def _without(X: Any, y: Any, weight: Any) -> tuple[Any, dict[str, Any]]:
    """A frame without the columns that y and weight name, and these."""
    named = {key: one for key, one in (("y", y), ("weight", weight)) if isinstance(one, str)}
    for name in named.values():
        if name not in X.columns:
            came = f"only {', '.join(map(repr, X.columns))}"
            raise DataError(describe("X", f"a column {name!r}", came))
    return X.drop(columns=list(named.values())), {key: X[name] for key, name in named.items()}


def _delayed(part: Any, X: Any, name: str) -> list[Any]:
    """The partitions of a collection, cut as X is."""
    if not is_dask(part):
        part = _cut(np.asarray(part), X, name)
    elif hasattr(part, "chunks") and hasattr(X, "chunks") and part is not X:
        part = _as_cut(part, X, name)
    found = np.ravel(np.array(part.to_delayed(), dtype=object)).tolist()
    count = X.npartitions if hasattr(X, "columns") else len(X.chunks[0])
    if len(found) != count:
        expected = f"{count} partitions as X has, of the same rows"
        raise DataError(describe(name, expected, f"{len(found)}", "Take both from one frame."))
    return found


def _cut(array: np.ndarray, X: Any, name: str) -> Any:
    """An array in memory, cut as X is, whose partitions must be known."""
    sizes = (
        X.chunks[0] if hasattr(X, "chunks") else tuple(map(int, X.map_partitions(len).compute()))
    )
    if any(np.isnan(size) for size in sizes):
        remedy = "Call X.compute_chunk_sizes() first."
        raise DataError(describe(name, "rows of known partitions", "unknown sizes", remedy))
    if sum(sizes) != len(array):
        raise DataError(describe(name, f"{int(sum(sizes))} rows as X has", len(array)))
    chunks: Any = (tuple(sizes), *((size,) for size in array.shape[1:]))
    return da.from_array(array, chunks=chunks)


def _as_cut(part: Any, X: Any, name: str) -> Any:
    sizes, own = X.chunks[0], part.chunks[0]
    known = not any(np.isnan(size) for size in (*sizes, *own))
    if known and sum(sizes) != sum(own):
        raise DataError(describe(name, f"{sum(sizes)} rows as X has", sum(own)))
    part = part.rechunk({0: sizes}) if known and sizes != own else part
    return part.rechunk({1: -1}) if part.ndim == 2 else part
