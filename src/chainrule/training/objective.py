"""What training minimises: (θ, X, y) → (loss, gradient).

J(θ) = Σ_i w_i · row_loss_i / Σ_i w_i + penalty(θ)

The split into a loss of one row and a penalty of the parameters stands in the graph. Sums over
blocks of rows, threads, mini-batches and partitions add up; the division by Σ w and the penalty
happen once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.errors import DataError, GraphError
from chainrule.graph import Graph, Node, Target, Trace
from chainrule.graph.functions import FUNCTIONS
from chainrule.networks import ParameterVector, RandomState
from chainrule.ops import ROWS
from chainrule.ops.shapes import format_shape
from chainrule.training.backends import Backend, choose_backend
from chainrule.training.numpy_backend import NumpyBackend
from chainrule.training.rows import PartitionedRows, Rows, bind_inputs, bind_rows
from chainrule.training.sums import Sums

WEIGHT = "sample_weight"
"""The name of the leaf that holds the rows' weights in ``Objective.graph``."""


class Objective:
    """J(θ) = weighted mean over rows of ``row_loss`` + ``penalty``, with its gradient.

    ``scipy.optimize.minimize(J, theta0, args=(X, y), method="CG", jac=True)`` trains it.

    Parameters
    ----------
    row_loss : Node
        A loss for each row, of shape (rows,). Nothing in it may couple rows.
    penalty : Node, optional
        A number computed from parameters only, such as ``l2(W1, W2, strength=1e-4)``.
    compiled : bool
        ``False`` runs the NumPy rules even where the compiled engine could.
    n_threads : int, optional
        Of the compiled engine. Default: as many as this process may use.

    Attributes
    ----------
    graph : Graph
        The whole objective as one scalar, with the rows' weights as a leaf.
    vector : ParameterVector
        Where each parameter lies in θ.

    Raises
    ------
    GraphError
        When the loss is not one number a row, couples rows, has no input or not exactly one
        target, or the penalty depends on data.
    """

    def __init__(
        self,
        row_loss: Node,
        penalty: Node | None = None,
        *,
        compiled: bool = True,
        n_threads: int | None = None,
    ) -> None:
        self.row_loss = row_loss
        self.penalty = penalty
        self.compiled = compiled
        self.n_threads = n_threads
        self.rows = Graph(row_loss)
        _check_row_loss(self.rows)
        self.penalties = None if penalty is None else _check_penalty(penalty)
        total = FUNCTIONS["weighted_mean"](row_loss, Target(WEIGHT, (ROWS,)))
        self.graph = Graph(total if penalty is None else total + penalty)
        self.vector = ParameterVector(self.graph.parameters)
        self.target = self.rows.targets[0]
        self._backends: dict[np.dtype, Backend] = {}
        self._numpy: dict[np.dtype, NumpyBackend] = {}

    def __call__(
        self, theta: np.ndarray, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, np.ndarray]:
        """Loss and gradient at θ.

        Parameters
        ----------
        theta : ndarray of shape (parameters,)
            Its precision is the one computed in.
        X : array or CSR matrix of shape (rows, …), mapping of input names to these, or Partitions
        y : array of shape (rows,) or (rows, outputs)
        sample_weight : array of shape (rows,), optional
            Default: 1 for each row.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (parameters,)
        """
        return self.evaluate(theta, bind_rows(self.rows, X, y, sample_weight))

    def evaluate(self, theta: np.ndarray, rows: Rows | PartitionedRows) -> tuple[float, np.ndarray]:
        """Loss and gradient at θ over rows that ``bind_rows`` has checked."""
        theta = _as_floats(self.vector.check(theta))
        loss, weight, gradient = self._sums(theta, rows)
        if not weight > 0:
            raise DataError(f"the weights of the rows must sum to more than 0, got {weight}")
        gradient = gradient / weight
        if self.penalties is None:
            return loss / weight, gradient.astype(theta.dtype, copy=False)
        cost, slope = self.backend(theta.dtype).penalty(theta)
        gradient += slope
        return loss / weight + cost, gradient.astype(theta.dtype, copy=False)

    def sums(self, theta: np.ndarray, X: Any, y: Any, sample_weight: Any = None) -> Sums:
        """Σ w·loss, Σ w and Σ w·gradient over these rows, in float64; penalty not included."""
        theta = _as_floats(self.vector.check(theta))
        rows = bind_rows(self.rows, X, y, sample_weight)
        return Sums(*self._sums(theta, rows))

    def _sums(
        self, theta: np.ndarray, rows: Rows | PartitionedRows
    ) -> tuple[float, float, np.ndarray]:
        if isinstance(rows, PartitionedRows):
            return rows.sums(self, theta)
        return self.backend(theta.dtype).sums(theta, rows, self.n_threads)

    def penalty_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty at θ and its gradient, in θ's precision."""
        theta = _as_floats(self.vector.check(theta))
        return self.backend(theta.dtype).penalty(theta)

    def forward(self, theta: np.ndarray, X: Any, output: Node) -> np.ndarray:
        """The value of ``output``, a node that the loss is computed from, for every row of X."""
        theta = _as_floats(self.vector.check(theta))
        inputs = bind_inputs(self.rows, X)[0]
        return self.backend(theta.dtype).forward(theta, inputs, output, self.n_threads)

    def hessp(
        self, theta: np.ndarray, v: np.ndarray, X: Any, y: Any, sample_weight: Any = None
    ) -> np.ndarray:
        """H v = (∇J(θ + hv) − ∇J(θ − hv)) / 2h: the Hessian times a vector.

        A central difference of exact float64 gradients; h = ε^⅓ (1 + ‖θ‖) / ‖v‖ balances
        rounding against curvature (Nocedal, Wright 2006, section 8.1).
        """
        return self.hessian_product(theta, v, bind_rows(self.rows, X, y, sample_weight))

    def hessian_product(
        self, theta: np.ndarray, v: np.ndarray, rows: Rows | PartitionedRows
    ) -> np.ndarray:
        """``hessp`` over rows that ``bind_rows`` has checked."""
        theta = self.vector.check(theta).astype(np.float64)
        v = self.vector.check(v).astype(np.float64)
        length = np.linalg.norm(v)
        if length == 0:
            return np.zeros_like(theta)
        h = np.cbrt(np.finfo(np.float64).eps) * (1 + np.linalg.norm(theta)) / length
        ahead, behind = self.evaluate(theta + h * v, rows)[1], self.evaluate(theta - h * v, rows)[1]
        return (ahead - behind) / (2 * h)

    def initial(self, random_state: RandomState = None) -> np.ndarray:
        """θ where training starts, as each parameter's ``init`` says."""
        return self.vector.initial(random_state)

    def pack(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """θ from an array for each parameter."""
        return self.vector.pack(values)

    def unpack(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Each parameter by name, as a view into θ."""
        return self.vector.unpack(theta)

    def trace(
        self,
        theta: np.ndarray,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        keep: bool = True,
        masks: Mapping[Node, np.ndarray] | None = None,
    ) -> Trace:
        """The objective's graph with every leaf bound, ready to be stepped through.

        A mask of dropout that is not given drops nothing.
        """
        theta = _as_floats(self.vector.check(theta))
        rows = bind_rows(self.rows, X, y, sample_weight).take(slice(None))
        values: dict[Any, Any] = {**self.vector.unpack(theta), **rows.inputs, **(masks or {})}
        values[self.target] = rows.y
        values[WEIGHT] = np.ones(rows.count) if rows.weight is None else rows.weight
        return Trace(self.graph, values, dtype=theta.dtype, keep=keep)

    def backend(self, dtype: Any) -> Backend:
        """What runs the network in this precision: the compiled engine or NumPy."""
        dtype = np.dtype(dtype)
        if dtype not in self._backends:
            self._backends[dtype] = choose_backend(
                self.row_loss, self.penalty, self.vector, dtype, compiled=self.compiled
            )
        return self._backends[dtype]

    def numpy_backend(self, dtype: Any) -> NumpyBackend:
        """The NumPy rules in this precision, whatever else runs the network."""
        dtype = np.dtype(dtype)
        if dtype not in self._numpy:
            self._numpy[dtype] = NumpyBackend(self.row_loss, self.penalties, self.vector, dtype)
        return self._numpy[dtype]

    def __reduce__(self) -> tuple[Any, ...]:
        # as one graph, which is stored without recursion at any depth; backends are made anew
        outputs = (self.row_loss,) if self.penalty is None else (self.row_loss, self.penalty)
        return _restored, (Graph(*outputs), self.compiled, self.n_threads)

    def __repr__(self) -> str:
        return f"Objective\n{self.graph!r}"


def _restored(graph: Graph, compiled: bool, n_threads: int | None) -> Objective:
    return Objective(*graph.outputs, compiled=compiled, n_threads=n_threads)


def _as_floats(theta: np.ndarray) -> np.ndarray:
    return theta if theta.dtype in (np.float32, np.float64) else theta.astype(np.float64)


def _check_row_loss(graph: Graph) -> None:
    (loss,) = graph.outputs
    if not graph.inputs:
        raise GraphError("the loss reads no input: make one with input('x', ('rows', columns))")
    if len(graph.targets) != 1:
        names = ", ".join(str(node.name) for node in graph.targets) or "none"
        raise GraphError(f"the loss must read exactly one target, got {names}")
    if not graph.parameters:
        raise GraphError("the loss depends on no parameter, so there is nothing to train")
    on_data = graph.depends_on((*graph.inputs, *graph.targets, *graph.masks))
    for node in graph.order:
        if node in on_data and (node.shape[:1] != (ROWS,) or ROWS in node.shape[1:]):
            advice = (
                "; give the loss of each row, the objective takes the mean" if node is loss else ""
            )
            raise GraphError(
                f"{graph.names[node]!r} {format_shape(node.shape)} does not keep rows apart: "
                f"its first dimension, and no other, must be {ROWS!r}{advice}"
            )
    if loss.shape != (ROWS,):
        raise GraphError(
            f"the loss must be one number a row, of shape ({ROWS},), got "
            f"{format_shape(loss.shape)}; sum it over its outputs first"
        )


def _check_penalty(penalty: Node) -> Graph:
    graph = Graph(penalty)
    if penalty.shape != ():
        raise GraphError(
            f"the penalty must be a single number, got shape {format_shape(penalty.shape)}"
        )
    if graph.inputs or graph.targets or graph.masks:
        leaf = (*graph.inputs, *graph.targets, *graph.masks)[0]
        raise GraphError(
            f"the penalty must depend on parameters only, it reads {leaf.label!r}; "
            "what depends on data belongs in the loss of a row"
        )
    return graph
