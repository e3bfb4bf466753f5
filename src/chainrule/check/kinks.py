"""Which smooth piece a network is on: tells a corner of an activation from a wrong gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.graph import Apply, Trace

BLOCK_ROWS = 4096


def crosses_a_kink(objective: Any, below: np.ndarray, above: np.ndarray, X: Any, y: Any) -> bool:
    """Whether some element of some operation changes its piece between two parameter vectors.

    Rows are independent, so they are compared block by block. An objective that has no ``trace``
    cannot say; its answer is no.
    """
    if not hasattr(objective, "trace"):
        return False
    return any(
        _differ(objective.trace(below, *block), objective.trace(above, *block))
        for block in _blocks(X, np.asarray(y))
    )


def _differ(below: Trace, above: Trace) -> bool:
    below.forward()
    above.forward()
    nodes = [node for node in below.graph if isinstance(node, Apply)]
    return any(not np.array_equal(_pieces(node, below), _pieces(node, above)) for node in nodes)


def _pieces(node: Apply, trace: Trace) -> np.ndarray:
    pieces = node.op.pieces(*(trace.value(operand) for operand in node.inputs))
    return np.zeros(()) if pieces is None else pieces


def _blocks(X: Any, y: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    for start in range(0, len(y), BLOCK_ROWS):
        where = slice(start, start + BLOCK_ROWS)
        if isinstance(X, Mapping):
            yield {name: _rows(one, where) for name, one in X.items()}, y[where]
        else:
            yield _rows(X, where), y[where]


def _rows(X: Any, where: slice) -> Any:
    part: Any = X[where] if hasattr(X, "shape") else np.asarray(X)[where]
    return part.toarray() if hasattr(part, "toarray") else part
