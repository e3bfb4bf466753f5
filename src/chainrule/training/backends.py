"""What evaluates a network over rows: the NumPy rules, or the compiled engine in their place.

Both have the same three entry points; ``NumpyBackend`` is the definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from chainrule import engine
from chainrule.engine import BatchReport, CompiledObjective, UpdateRule, UpdateState
from chainrule.graph import Graph, Node
from chainrule.networks import ParameterVector
from chainrule.training.numpy_backend import NumpyBackend, Order
from chainrule.training.recipe import Recipe
from chainrule.training.rows import Rows


class Backend(Protocol):
    """How a network is run over rows in one precision."""

    def forward(
        self,
        theta: np.ndarray,
        inputs: Mapping[str, Any],
        output: Node,
        n_threads: int | None = None,
        check_finite: bool = False,
    ) -> np.ndarray:
        """The value of ``output`` for every row; nothing is dropped.

        With ``check_finite`` a ``DataError`` where an input holds NaN or infinity.
        """
        ...

    def sums(
        self, theta: np.ndarray, rows: Rows, n_threads: int | None = None
    ) -> tuple[float, float, np.ndarray]:
        """Σ w·loss, Σ w, Σ w·gradient in float64; nothing is dropped."""
        ...

    def penalty(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty at θ and its gradient, in θ's precision."""
        ...

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
        """A stretch of mini-batches, one for each of ``rates``; changes θ and state in place.

        ``decay`` and ``dropout`` are factors, one a batch, of the rule's decay and of all masks'
        rates. θ at the end of each epoch that ends within the stretch goes into ``after_epochs``,
        a row each.
        """
        ...


class CompiledBackend:
    """The engine's program of a network; what it cannot run of a training, NumPy runs."""

    def __init__(self, compiled: CompiledObjective, instead: NumpyBackend | None = None) -> None:
        self.compiled = compiled
        self.instead = instead

    def forward(
        self,
        theta: np.ndarray,
        inputs: Mapping[str, Any],
        output: Node,
        n_threads: int | None = None,
        check_finite: bool = False,
    ) -> np.ndarray:
        """The value of ``output`` for every row."""
        return self.compiled.forward(
            theta, inputs, output, n_threads=n_threads, check_finite=check_finite
        )

    def sums(
        self, theta: np.ndarray, rows: Rows, n_threads: int | None = None
    ) -> tuple[float, float, np.ndarray]:
        """Σ w·loss, Σ w, Σ w·gradient."""
        return self.compiled.sums(theta, rows.inputs, rows.y, rows.weight, n_threads=n_threads)

    def penalty(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty at θ and its gradient; NumPy's where the engine has no words for it."""
        return (self.compiled if self.instead is None else self.instead).penalty(theta)

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
        """A stretch of mini-batches without Python in between."""
        stretch: dict[str, Any] = {
            "rates": rates,
            "decay": decay,
            "dropout": dropout,
            "after_epochs": after_epochs,
            "first_batch": first_batch,
            "order": order,
            "stop": stop,
        }
        if self.instead is not None:
            return self.instead.run_batches(theta, state, rows, recipe, **stretch)
        return self.compiled.run_batches(
            theta,
            state,
            rows.inputs,
            rows.y,
            rows.weight,
            rule=UpdateRule(recipe.update.kind, **recipe.update.options),
            learning_rate=rates,
            decay=decay,
            dropout=dropout,
            after_epochs=after_epochs,
            n_batches=len(rates),
            first_batch=first_batch,
            order=order,
            stop=stop,
            batch_size=recipe.batch_size,
            drop_last=recipe.drop_last,
            penalty_by_weight=recipe.penalty_by_weight,
            clip_norm=recipe.clip_norm,
            rate_factors=recipe.rate_factors,
            decay_factors=recipe.decay_factors,
            dropout_seed=recipe.dropout_seed,
            n_threads=recipe.n_threads,
            check_finite=recipe.check_finite,
        )


def choose_backend(
    row_loss: Node,
    penalty: Node | None,
    vector: ParameterVector,
    dtype: np.dtype,
    *,
    compiled: bool = True,
) -> Backend:
    """The compiled engine where it is wanted, present and can run this network; else NumPy.

    A penalty that the engine cannot run (anything but sums of l1 and l2) leaves it the rows:
    only mini-batches, which need the penalty in every step, are then NumPy's.
    """
    numpy = NumpyBackend(row_loss, None if penalty is None else Graph(penalty), vector, dtype)
    if not compiled or not engine.available():
        return numpy
    whole = engine.compile(row_loss, penalty, vector, dtype)
    if whole is not None:
        return CompiledBackend(whole)
    loss = None if penalty is None else engine.compile(row_loss, None, vector, dtype)
    return numpy if loss is None else CompiledBackend(loss, numpy)
