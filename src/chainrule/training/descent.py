"""The loop of mini-batch descent over whatever gives a batch's sums.

For each batch: Σ w·loss, Σ w, Σ w·gradient at θ; divided once, penalty added once, clipped; then
the update rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from chainrule.engine.batches import BatchReport, UpdateState
from chainrule.networks import ParameterVector
from chainrule.training.recipe import Recipe, spread

Measures = tuple[float, float, float, float]
"""Loss, weight, penalty and gradient norm of a batch."""


class Parameters(Protocol):
    """What the loop knows of an objective: where θ's parts lie, and what they cost."""

    vector: ParameterVector
    dtype: np.dtype

    def penalty(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The penalty at θ and its gradient."""
        ...


def descend(
    backend: Parameters,
    theta: np.ndarray,
    state: UpdateState,
    recipe: Recipe,
    sums: Callable[[int, float], tuple[float, float, np.ndarray]],
    *,
    rates: np.ndarray,
    decay: np.ndarray | None,
    dropout: np.ndarray | None,
    first_batch: int,
    stop: np.ndarray,
    per_epoch: int,
    after_epochs: np.ndarray | None = None,
) -> BatchReport:
    """One batch for each of ``rates``: θ and ``state`` are changed in place.

    ``sums(number, level)`` are those of batch ``number`` at θ, counted from the start of training,
    with all rates of dropout multiplied by ``level``. A batch whose loss or gradient is not finite
    ends the stretch before its update; so does ``stop[0]`` being set. θ at the end of each epoch of
    ``per_epoch`` batches that ends here goes into ``after_epochs``, a row each.
    """
    vector, dtype = backend.vector, backend.dtype
    decays = getattr(recipe.update, "weight_decay", 0.0) * spread(
        recipe.decay_factors, vector, dtype
    )
    factors = spread(recipe.rate_factors, vector, dtype)
    done: list[Measures] = []
    updates, stopped, parameter = 0, None, None
    for i, rate in enumerate(rates):
        if stop[0]:
            stopped = "interrupted"
            break
        level = 1.0 if dropout is None else float(dropout[i])
        measures, gradient = _mean(backend, theta, recipe, *sums(first_batch + i, level))
        done.append(measures)
        stopped, parameter = _trouble(backend, measures, gradient)
        if stopped is not None:
            break
        clip(gradient, measures[-1], recipe.clip_norm)
        share = decays if decay is None else float(decay[i]) * decays
        recipe.update.step(
            theta, gradient, state.slots, state.step + 1, float(rate) * factors, share
        )
        state.step += 1
        updates += 1
        epoch, left = divmod(first_batch + updates, per_epoch)
        if after_epochs is not None and left == 0:
            after_epochs[epoch - first_batch // per_epoch - 1] = theta
    columns = np.array(done, dtype=np.float64).reshape(-1, 4).T
    return BatchReport(updates, *columns, stopped=stopped, parameter=parameter)


def _mean(
    backend: Parameters,
    theta: np.ndarray,
    recipe: Recipe,
    loss: float,
    weight: float,
    gradient: np.ndarray,
) -> tuple[Measures, np.ndarray]:
    """What a batch comes to, and its gradient in θ's precision.

    A batch whose weights are all 0 has loss 0, and of a gradient the penalty's alone.
    """
    share = 1 / weight if weight > 0 else 0.0
    cost, slope = backend.penalty(theta)
    scale = share if recipe.penalty_by_weight else 1.0
    gradient = gradient * share
    gradient += scale * slope
    with np.errstate(over="ignore"):
        norm = float(np.sqrt(np.dot(gradient, gradient)))
    return (loss * share, weight, cost * scale, norm), gradient.astype(backend.dtype, copy=False)


def _trouble(
    backend: Parameters, measures: Measures, gradient: np.ndarray
) -> tuple[str | None, str | None]:
    """Which of loss and gradient is not finite, and the first parameter that it concerns."""
    loss, _, cost, norm = measures
    if not np.isfinite(loss + cost):
        return "non-finite loss", None
    if not np.isfinite(norm) and not np.all(np.isfinite(gradient)):
        first = int(np.argmin(np.isfinite(gradient)))
        return "non-finite gradient", backend.vector.locate(first)[0]
    return None, None


def clip(gradient: np.ndarray, norm: float, longest: float | None) -> None:
    """g ← g · longest / ‖g‖ where ‖g‖ is longer, in place."""
    if longest is not None and norm > longest:
        gradient *= longest / norm
