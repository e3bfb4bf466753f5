"""When numbers go wrong: which step, which layer, why, in a sentence, and where to read on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import NumericalError, chapter
from chainrule.graph.node import Input, Parameter, Target
from chainrule.graph.show import describe
from chainrule.training.rows import PartitionedRows, Rows

if TYPE_CHECKING:
    from chainrule.training.objective import Objective

LARGE_INPUT = 1e3
LARGE_PARAMETER = 1e2


def explain(
    objective: Objective,
    theta: np.ndarray,
    rows: Rows | PartitionedRows,
    *,
    step: int,
    good: np.ndarray,
    learning_rate: float | None = None,
    parameter: str | None = None,
) -> NumericalError:
    """The error to raise for a loss or gradient at ``theta`` over ``rows`` that is not finite.

    Parameters
    ----------
    step : int
        The batch or evaluation, from 0.
    good : ndarray
        The last parameters known to be good: kept in the error's ``theta``.
    learning_rate : float, optional
        Of this step, where there is one.
    parameter : str, optional
        The first parameter whose gradient is not finite, as far as known.
    """
    if isinstance(rows, PartitionedRows):
        rows = rows.wrong(objective, theta)
    layer, what = _first_wrong(objective, theta, rows, parameter)
    cause, topic = _cause(objective, theta, rows, layer, step, learning_rate)
    lesson = f" See {chapter(topic)}." if topic else ""
    message = f"step {step}: {what}. {cause}{lesson}"
    return NumericalError(message, step=step, layer=layer, cause=cause, theta=good)


def _first_wrong(
    objective: Objective, theta: np.ndarray, rows: Rows, parameter: str | None
) -> tuple[str, str]:
    """The first node whose value, else whose gradient, is not finite; and that in words."""
    for block in rows.blocks():
        trace = objective.trace(theta, block.inputs, block.y, block.weight)
        trace.forward()
        names = trace.graph.names
        for node in sorted(names, key=lambda one: bool(one.inputs)):  # leaves first
            if (kind := not_finite(trace.value(node))) is not None:
                return names[node], f"{names[node]!r} ({describe(node, names)}) is {kind}"
        trace.backward()
        for node in reversed(trace.graph.order):
            if (kind := not_finite(trace.gradient(node))) is not None:
                return names[node], f"the gradient of {names[node]!r} is {kind}"
    layer = parameter or "loss"
    return layer, f"the gradient of {layer!r} is not finite"


def not_finite(array: Any) -> str | None:
    """ "NaN" or "infinite" if any entry is, else ``None``."""
    array = np.asarray(array)
    if array.dtype.kind != "f" or np.all(np.isfinite(array)):
        return None
    return "NaN" if np.isnan(array).any() else "infinite"


def _cause(
    objective: Objective,
    theta: np.ndarray,
    rows: Rows,
    layer: str,
    step: int,
    learning_rate: float | None,
) -> tuple[str, str]:
    """In words, and the topic of the book that it belongs to, if any."""
    node = objective.graph[layer] if layer in objective.graph.names.values() else None
    if isinstance(node, (Input, Target)):
        return f"Likely cause: the data themselves; look for NaN and infinity in {layer!r}.", ""
    reach = max(_largest(X) for X in rows.inputs.values())
    if reach > LARGE_INPUT:
        return (
            f"Likely cause: input that is not scaled (entries up to {reach:.3g}); "
            "standardise its columns."
        ), "learning"
    size = _largest(theta)
    if isinstance(node, Parameter) or size > LARGE_PARAMETER:
        grown = "are no longer finite" if not math.isfinite(size) else f"have grown to {size:.3g}"
        if learning_rate is None:
            cause = f"Likely cause: the parameters {grown}; scale the input or start smaller."
            return cause, "packing"
        return (
            f"Likely cause: the learning rate {learning_rate:.3g} is too high, parameters {grown}; "
            "lower it or clip the gradient's norm."
        ), "learning"
    when = "already at the first parameters" if step == 0 else "such as log of 0, or division by 0"
    return f"Likely cause: an operation outside its range, {when}.", "probabilities"


def _largest(array: Any) -> float:
    data = array.data if hasattr(array, "toarray") else np.asarray(array)
    return float(np.max(np.abs(data), initial=0.0))
