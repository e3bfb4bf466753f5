"""The penalty of an objective: a number computed from the parameters alone, with its gradient."""

from __future__ import annotations

import numpy as np

from chainrule.graph import Graph
from chainrule.networks import ParameterVector
from chainrule.training.plan import Plan


class Penalty:
    """penalty(θ) and its gradient in one precision."""

    def __init__(self, graph: Graph | None, vector: ParameterVector, dtype: np.dtype) -> None:
        self.vector = vector
        self.plan = None if graph is None else Plan(graph, dtype, graph.parameters)
        self._where = (
            {}
            if graph is None
            else {
                node: (vector.slices[str(node.name)], vector.shapes[str(node.name)])
                for node in graph.parameters
            }
        )
        self._seed = np.ones((), dtype)

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty at θ and its gradient, in θ's precision."""
        gradient = np.zeros_like(theta)
        if self.plan is None:
            return 0.0, gradient
        leaves = {node: theta[at].reshape(shape) for node, (at, shape) in self._where.items()}
        with np.errstate(all="ignore"):
            values = self.plan.forward(leaves)
            cost = float(values[self.plan.output])
            slopes = self.plan.backward(values, self._seed)
        for node, slope in slopes.items():
            gradient[self._where[node][0]] = slope.reshape(-1)
        return cost, gradient
