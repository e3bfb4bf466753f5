"""The definition of training in NumPy: sums over rows, and the step of mini-batch descent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.engine.batches import BatchReport, Shuffle, UpdateState
from chainrule.errors import DataError
from chainrule.graph import Graph, Node
from chainrule.networks import ParameterVector
from chainrule.training.descent import descend
from chainrule.training.dropout import draw_mask
from chainrule.training.penalty import Penalty
from chainrule.training.plan import Plan
from chainrule.training.recipe import Recipe
from chainrule.training.rows import BLOCK_ROWS, Rows, dense
from chainrule.training.shuffling import permutation, windowed_permutation

Order = Shuffle | np.ndarray | None


class NumpyBackend:
    """The operations' own rules, over blocks of rows, sums in float64."""

    def __init__(
        self, row_loss: Node, penalty: Graph | None, vector: ParameterVector, dtype: np.dtype
    ) -> None:
        self.graph = Graph(row_loss)
        self.vector = vector
        self.dtype = dtype
        self.penalty = Penalty(penalty, vector, dtype).value_and_gradient
        self.plan = Plan(self.graph, dtype, self.graph.parameters)
        self._outputs: dict[Node, tuple[Graph, Plan]] = {}

    def forward(
        self,
        theta: np.ndarray,
        inputs: Mapping[str, Any],
        output: Node,
        n_threads: int | None = None,
        check_finite: bool = False,
    ) -> np.ndarray:
        """The value of ``output`` for every row."""
        if output not in self._outputs:
            graph = Graph(output)
            self._outputs[output] = graph, Plan(graph, self.dtype)
        graph, plan = self._outputs[output]
        parameters = self._parameters(theta, graph)
        rows = next(iter(inputs.values())).shape[0]
        parts = []
        for start in range(0, rows, BLOCK_ROWS):
            block = {name: dense(X[start : start + BLOCK_ROWS]) for name, X in inputs.items()}
            if check_finite:
                refuse_not_finite(block)
            with np.errstate(all="ignore"):
                parts.append(plan.forward(parameters | self._inputs(graph, block))[plan.output])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def sums(
        self, theta: np.ndarray, rows: Rows, n_threads: int | None = None
    ) -> tuple[float, float, np.ndarray]:
        """Σ w·loss, Σ w, Σ w·gradient; nothing is dropped."""
        return self.masked_sums(theta, rows, {})

    def run_batches(
        self,
        theta: np.ndarray,
        state: UpdateState,
        rows: Rows,
        recipe: Recipe,
        *,
        rates: np.ndarray,
        decay: np.ndarray | None = None,
        dropout: np.ndarray | None = None,
        after_epochs: np.ndarray | None = None,
        first_batch: int,
        order: Order,
        stop: np.ndarray,
    ) -> BatchReport:
        """One batch for each of ``rates``: θ and ``state`` are changed in place.

        Batch k is batch ``k mod m`` of epoch ``k div m``. An order may be a matrix: a row for each
        epoch, the first for that of ``first_batch``.
        """
        per_epoch = recipe.batches_per_epoch(rows.count)

        def sums(number: int, level: float) -> tuple[float, float, np.ndarray]:
            epochs = number // per_epoch - first_batch // per_epoch
            own = order[epochs] if isinstance(order, np.ndarray) and order.ndim == 2 else order
            batch = rows.take(batch_rows(rows.count, recipe, number, own))
            if recipe.check_finite:
                refuse_not_finite(batch.inputs)
            masks = {}
            if recipe.dropout_seed is not None:
                masks = {
                    node: draw_mask(
                        node, batch.count, recipe.dropout_seed, number, self.dtype, level
                    )
                    for node in self.graph.masks
                }
            return self.masked_sums(theta, batch, masks)

        return descend(
            self, theta, state, recipe, sums,
            rates=rates, decay=decay, dropout=dropout, first_batch=first_batch, stop=stop,
            per_epoch=per_epoch, after_epochs=after_epochs,
        )  # fmt: skip

    def masked_sums(
        self, theta: np.ndarray, rows: Rows, masks: Mapping[Node, np.ndarray]
    ) -> tuple[float, float, np.ndarray]:
        """``sums`` with these masks of dropout; one that is not given drops nothing."""
        graph, gradient, loss = self.graph, np.zeros(self.vector.size), 0.0
        parameters = self._parameters(theta, graph)
        start = 0
        with np.errstate(all="ignore"):  # what goes wrong is found as a non-finite value
            for block in rows.blocks():
                y = block.y if graph.targets[0].integer else block.y.astype(self.dtype, copy=False)
                leaves = parameters | self._inputs(graph, block.inputs) | {graph.targets[0]: y}
                for node, mask in masks.items():
                    leaves[node] = mask[start : start + block.count]
                start += block.count
                values = self.plan.forward(leaves)
                loss += self._weighted(values[self.plan.output], block.weight)
                for node, part in self.plan.backward(values, self._seed(block)).items():
                    gradient[self.vector.slices[str(node.name)]] += part.reshape(-1)
        return loss, rows.total_weight(), gradient

    def _weighted(self, losses: np.ndarray, weight: np.ndarray | None) -> float:
        if weight is None:
            return float(losses.sum(dtype=np.float64))
        return float(np.dot(losses.astype(np.float64, copy=False), weight))

    def _seed(self, block: Rows) -> np.ndarray:
        if block.weight is None:
            return np.ones(block.count, self.dtype)
        return block.weight.astype(self.dtype, copy=False)

    def _parameters(self, theta: np.ndarray, graph: Graph) -> dict[Node, np.ndarray]:
        slices, shapes = self.vector.slices, self.vector.shapes
        return {
            node: theta[slices[str(node.name)]].reshape(shapes[str(node.name)])
            for node in graph.parameters
        }

    def _inputs(self, graph: Graph, block: Mapping[str, np.ndarray]) -> dict[Node, np.ndarray]:
        return {
            node: block[str(node.name)]
            if node.integer
            else block[str(node.name)].astype(self.dtype, copy=False)
            for node in graph.inputs
        }


def refuse_not_finite(inputs: Mapping[str, np.ndarray]) -> None:
    """Raise a ``DataError`` where an input holds NaN or infinity."""
    for name, X in inputs.items():
        if not np.all(np.isfinite(X)):
            raise DataError(f"input {name!r}: expected finite numbers")


def batch_rows(rows: int, recipe: Recipe, number: int, order: Order) -> Any:
    """Which rows batch ``number`` holds, counted from the start of training."""
    if isinstance(order, np.ndarray):
        rows = len(order)
    size = min(recipe.batch_size, rows)
    epoch, batch = divmod(number, recipe.batches_per_epoch(rows))
    where = slice(batch * size, min((batch + 1) * size, rows))
    if order is None:
        return where
    if isinstance(order, np.ndarray):
        return order[where]
    return epoch_order(rows, order, epoch)[where]


@lru_cache(maxsize=4)
def epoch_order(rows: int, shuffle: Shuffle, epoch: int) -> np.ndarray:
    """The rows in the order in which that epoch visits them."""
    if shuffle.window is None:
        order = permutation(rows, shuffle.seed, epoch)
    else:
        order = windowed_permutation(rows, shuffle.seed, epoch, shuffle.window)
    order.flags.writeable = False  # the cache hands out the array itself
    return order
