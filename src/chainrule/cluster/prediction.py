"""Prediction over partitions: nothing is computed before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import dask.array as da
import numpy as np
from dask.base import compute
from dask.delayed import delayed

from chainrule.cluster.collections import dask_loads, is_dask
from chainrule.cluster.sources import as_piece
from chainrule.errors import WrongTypeError, describe
from chainrule.estimators.target_sums import Targets


def predict(model: Any, X: Any) -> Any:
    """The prediction of every row: a lazy Dask array, a block for each partition of X.

    Parameters
    ----------
    model : fitted estimator
    X : dask array or data frame
    """
    return _mapped(model, "predict", X)


def predict_proba(model: Any, X: Any) -> Any:
    """The probabilities of every row: a lazy Dask array (rows, classes)."""
    return _mapped(model, "predict_proba", X)


def score(model: Any, X: Any, y: Any) -> float:
    """Accuracy, or R², over all rows of a Dask collection, computed where they lie.

    ``y`` is cut as X is, or names a column of it.
    """
    ready, classes = _ready(model, "predict"), hasattr(model, "classes_")
    asked = [delayed(_score_of)(ready, classes, load.parts) for load in dask_loads(X, y, None)]
    found = [one for one in compute(*asked) if one is not None]
    rows, good = sum(one[0] for one in found), sum(one[1] for one in found)
    if classes:
        return good / rows
    spread = reduce(Targets.plus, (one[2] for one in found)).spread
    return float(np.mean(1 - good / spread))


def _score_of(model: Any, classes: bool, raw: tuple[Any, Any, Any]) -> Any:
    """Rows; rows that are right, or the squared errors; what is known of the targets."""
    piece = as_piece(0, *raw)
    if not len(piece.y):
        return None
    predicted = model.predict(piece.X)
    if classes:
        right = np.asarray(predicted == piece.y).reshape(len(piece.y), -1).all(axis=1)
        return len(piece.y), int(right.sum()), None
    rest = ((predicted - piece.y).reshape(len(piece.y), -1) ** 2).sum(axis=0)
    return len(piece.y), rest, Targets.of(piece.y, None, classes=False)


def _mapped(model: Any, method: str, X: Any) -> Any:
    if not is_dask(X):
        remedy = f"Call model.{method}(X)."
        raise WrongTypeError(describe("X", "a Dask array or data frame", type(X).__name__, remedy))
    like = _like(model, method)
    ask = partial(_ask, _ready(model, method), method, like)
    if hasattr(X, "columns"):
        blocks = [
            da.from_delayed(_delayed(ask, part), (np.nan, *like.shape[1:]), like.dtype)
            for part in X.to_delayed()
        ]
        return da.concatenate(blocks, allow_unknown_chunksizes=True)
    X = X.rechunk({1: -1})
    chunks = (X.chunks[0], *((size,) for size in like.shape[1:]))
    axes: dict[str, Any] = {"drop_axis": 1} if like.ndim == 1 else {}
    return X.map_blocks(ask, dtype=like.dtype, chunks=chunks, meta=like, **axes)


def _delayed(ask: Callable[[Any], np.ndarray], part: Any) -> Any:
    return delayed(ask)(part)


def _ready(model: Any, method: str) -> Any:
    getattr(model, method)  # says what is missing, here rather than on a worker
    twin = model._twin()
    twin.callbacks = None
    return twin


def _ask(model: Any, method: str, like: np.ndarray, X: Any) -> np.ndarray:
    return np.asarray(getattr(model, method)(X)) if X.shape[0] else like[:0]


def _like(model: Any, method: str) -> np.ndarray:
    """An array without rows, of the shape and type of what is predicted."""
    outputs = int(model.n_outputs_)
    if method == "predict_proba":
        return np.empty((0, len(model.classes_)), model._theta.dtype)
    if hasattr(model, "classes_"):
        many = getattr(model._labels, "kind", "") == "multilabel"
        return np.empty((0, outputs), np.int64) if many else model.classes_[:0]
    shape = (0,) if outputs == 1 else (0, outputs)
    wide = np.float64 if hasattr(model, "encoder_") else model._theta.dtype
    return np.empty(shape, wide)
