"""Neurons that do nothing: dead, saturated, always the same; and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import chapter
from chainrule.graph import Apply, Trace
from chainrule.networks import ACTIVATIONS

FLAT = 0.05  # of the steepest slope: below it hardly any gradient comes through
MOSTLY = 0.95
SAME = 1e-6

ADVICE = {
    "dead": "They put out the same for every row and pass no gradient back, so they cannot "
    "recover. Try a smaller learning rate, leaky_relu or elu in place of relu, standardised "
    f"columns, or fewer neurons: {chapter('activations')}.",
    "saturated": "They stand where their activation is flat for nearly every row, so they learn "
    "slowly. Standardise the columns, start with smaller weights, raise alpha, or take relu: "
    f"{chapter('activations')}.",
    "constant": "They put out the same for every row: the next layer's bias could do their work. "
    "Fewer neurons may be enough.",
}
"""By what is wrong."""


@dataclass(frozen=True)
class LayerState:
    """The neurons behind one activation.

    Attributes
    ----------
    name : str
        The node's name in the graph.
    activation : str
    units : int
    dead, saturated, constant : tuple of int
        Numbers of neurons, from 0: no slope anywhere; hardly any slope for nearly all rows;
        the same output for every row although there is a slope.
    zero : float
        The share of outputs that are exactly 0.
    """

    name: str
    activation: str
    units: int
    dead: tuple[int, ...]
    saturated: tuple[int, ...]
    constant: tuple[int, ...]
    zero: float

    @property
    def troubles(self) -> dict[str, tuple[int, ...]]:
        """What is wrong, and with which neurons."""
        named = {"dead": self.dead, "saturated": self.saturated, "constant": self.constant}
        return {what: which for what, which in named.items() if which}


def neuron_states(model: Any, X: Any, y: Any) -> list[LayerState]:
    """The state of every layer of hidden neurons on these rows, first layer first."""
    objective, theta, X, y = model.as_objective(X, y)
    trace: Trace = objective.trace(theta, X, y)
    trace.forward()
    graph = trace.graph
    of_target = graph.depends_on(graph.targets)
    return [
        _state(trace, node)
        for node in graph.order
        if isinstance(node, Apply)
        and node.op.name in ACTIVATIONS
        and node.op.name != "identity"
        and node.ndim == 2
        and node not in of_target
    ]


def _state(trace: Trace, node: Apply) -> LayerState:
    x, y = trace.value(node.inputs[0]), trace.value(node)
    slope = np.abs(_slope(node, x, y))
    s = np.linspace(-8.0, 8.0, 801).astype(x.dtype)
    steepest = float(np.max(np.abs(_slope(node, s, np.asarray(node.forward(s))))))
    same = np.ptp(y, axis=0) <= SAME * np.maximum(np.abs(y).max(axis=0), 1.0)
    dead = np.all(slope == 0, axis=0)
    # a corner at 0 is no plateau: of relu the flat side is where it is meant to be
    kinked = node.op.pieces(x) is not None
    flat = np.mean(slope < FLAT * steepest, axis=0) >= MOSTLY
    saturated = flat & ~dead & (not kinked)
    constant = same & ~dead & ~saturated
    return LayerState(
        name=trace.graph.names[node],
        activation=node.op.name,
        units=y.shape[1],
        dead=_numbers(dead),
        saturated=_numbers(saturated),
        constant=_numbers(constant),
        zero=float(np.mean(y == 0)),
    )


def _numbers(which: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.flatnonzero(which))


def _slope(node: Apply, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(node.backward(np.ones_like(y), x, y)[0])
