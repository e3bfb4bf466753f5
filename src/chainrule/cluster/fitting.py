"""``fit`` on rows that lie elsewhere: in files, in a memory-mapped array, on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from dask.utils import parse_bytes
from distributed import Client, default_client

from chainrule.cluster.collections import dask_loads, is_dask
from chainrule.cluster.dask_pieces import DaskPieces
from chainrule.cluster.files import loads_of
from chainrule.cluster.progress import RowsBar
from chainrule.cluster.sources import Load, blocks_of
from chainrule.cluster.streaming import StreamedPieces
from chainrule.errors import OptionError, describe

PIECE_BYTES = 64
"""Rough bytes of a row, for how many rows of a file are read together."""


def fit(
    model: Any,
    X: Any,
    target: Any = None,
    *,
    sample_weight: Any = None,
    client: Client | None = None,
    memory: int | str = "1GB",
    validation_data: Any = None,
    progress_bar: bool | None = None,
) -> Any:
    """Fit ``model`` to rows that need not fit into the memory of this process.

    Every evaluation is Σ over partitions of (Σ w·loss, Σ w, Σ w·gradient), divided once; the
    penalty is added once. The same partitions give the same bits on any number of workers.

    Parameters
    ----------
    model : estimator
        Any of chainrule's.
    X : dask array or data frame, path, array, or list of blocks
        A path names a Parquet or CSV file, a folder of such, or a pattern (``data/*.parquet``).
        An array may be memory-mapped; blocks may be sparse matrices.
    target : array, dask collection, list of blocks, or str
        The targets, cut as X is; or the name of their column.
    sample_weight : as target, optional
    client : distributed.Client, optional
        Where to train. Default: of a Dask collection the client that is open, if there is one;
        else this process, which reads one partition after the other.
    memory : int or str
        Bytes that partitions may take in this process, such as "2GB"; what does not fit is read
        anew in every pass.
    validation_data : pair (X, y), optional
        Rows in memory to score each epoch on.
    progress_bar : bool, optional
        Rows per second on standard error. Default: on a terminal.

    Returns
    -------
    model

    Raises
    ------
    DataError
        Bad rows; the message names the partition: its file and row group, or its number.
    ClusterError
        The scheduler is gone, or workers die again and again.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import SoftmaxClassifier, cluster
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> model = cluster.fit(SoftmaxClassifier(), X, (X[:, 0] > 0).astype(int), memory="100MB")
    >>> model.score(X, X[:, 0] > 0) > 0.98
    True
    """
    allowed = memory_bytes(memory)
    bar = RowsBar(progress_bar)
    loads = find_loads(X, target, sample_weight, allowed)
    client = client or (_open_client() if is_dask(X) else None)
    if client is None:
        pieces: Any = StreamedPieces(loads, allowed, bar)
    else:
        pieces = DaskPieces.of(client, loads, bar)
    own = model.callbacks
    model.callbacks = [*(own or ()), bar]
    try:
        return model._fit_pieces(pieces, validation_data)
    finally:
        model.callbacks = own


def memory_bytes(memory: int | str) -> int:
    """The option ``memory`` in bytes."""
    try:
        found = parse_bytes(memory)
    except (ValueError, TypeError, OverflowError):
        found = 0
    if found < 1 << 20:
        raise OptionError(describe("memory", "at least 1 MiB, such as '2GB'", repr(memory)))
    return int(found)


def find_loads(X: Any, target: Any, sample_weight: Any, memory: int) -> Sequence[Load]:
    """The partitions of whatever was given."""
    if is_dask(X):
        return dask_loads(X, target, sample_weight)
    rows = max(1, memory // 16 // PIECE_BYTES)
    if isinstance(X, (str, os.PathLike)):
        named = isinstance(target, str) and isinstance(sample_weight, str | None)
        if not named:
            came = f"{type(target).__name__} and {type(sample_weight).__name__}"
            expected = "the names of their columns in the files"
            raise OptionError(describe("target and sample_weight", expected, came))
        return loads_of(X, target, sample_weight, rows)
    return blocks_of(X, target, sample_weight, rows)


def _open_client() -> Client | None:
    try:
        return default_client()
    except ValueError:
        return None
