"""What evaluates a network over rows: the NumPy rules, or the compiled engine in their place.

Both have the same three entry points. The NumPy one below is the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from chainrule.graph import Graph, Node, Trace
from chainrule.networks import ParameterVector

BLOCK_ROWS = 8192  # bounds memory; large enough that BLAS runs at full speed


class Backend(Protocol):
    """How a network is run over rows in one precision."""

    def forward(self, theta: np.ndarray, inputs: Mapping[str, Any], output: Node) -> np.ndarray:
        """The value of ``output`` for every row."""
        ...

    def sums(
        self, theta: np.ndarray, inputs: Mapping[str, Any], y: np.ndarray, weight: np.ndarray
    ) -> tuple[float, float, np.ndarray]:
        """Σ w·loss, Σ w, Σ w·gradient."""
        ...


class NumpyBackend:
    """The NumPy rules, over blocks of rows, sums in float64."""

    def __init__(self, row_loss: Node, vector: ParameterVector, dtype: np.dtype) -> None:
        self.graph = Graph(row_loss)
        self.vector = vector
        self.dtype = dtype

    def forward(self, theta: np.ndarray, inputs: Mapping[str, Any], output: Node) -> np.ndarray:
        graph = Graph(output)
        values = self._parameters(theta, graph)
        parts = [
            Trace(graph, {**values, **block}, dtype=self.dtype, keep=False).forward()
            for block, _ in row_blocks({str(n.name): inputs[str(n.name)] for n in graph.inputs})
        ]
        return np.concatenate(parts)

    def sums(
        self, theta: np.ndarray, inputs: Mapping[str, Any], y: np.ndarray, weight: np.ndarray
    ) -> tuple[float, float, np.ndarray]:
        graph, gradient = self.graph, np.zeros(self.vector.size)
        views = self.vector.unpack(gradient)
        values = self._parameters(theta, graph)
        loss = 0.0
        for block, where in row_blocks(inputs):
            w = weight[where]
            leaves = {**values, **block, graph.targets[0]: y[where]}
            trace = Trace(graph, leaves, dtype=self.dtype, keep=False, wrt=graph.parameters)
            loss += float(np.dot(trace.forward().astype(np.float64), w))
            for name, part in trace.backward(seed=w).items():
                views[name] += part
        return loss, float(weight.sum()), gradient

    def _parameters(self, theta: np.ndarray, graph: Graph) -> dict[Any, Any]:
        values = self.vector.unpack(theta)
        return {str(node.name): values[str(node.name)] for node in graph.parameters}


def row_blocks(inputs: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], slice]]:
    """``inputs`` cut into blocks of rows, sparse ones made dense block by block."""
    rows = next(iter(inputs.values())).shape[0]
    for start in range(0, rows, BLOCK_ROWS):
        where = slice(start, min(start + BLOCK_ROWS, rows))
        yield {name: _dense(X[where]) for name, X in inputs.items()}, where


def _dense(X: Any) -> np.ndarray:
    return X.toarray() if hasattr(X, "toarray") else X


def choose_backend(
    row_loss: Node,
    penalty: Node | None,
    vector: ParameterVector,
    dtype: np.dtype,
    *,
    compiled: bool = True,
) -> Backend:
    """The compiled engine where it is wanted, present and can run this network; else NumPy."""
    return NumpyBackend(row_loss, vector, dtype)
