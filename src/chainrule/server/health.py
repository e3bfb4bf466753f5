"""What is wrong with a neuron: dead, saturated, or exploding, from its values on the points."""

from __future__ import annotations

import numpy as np

from chainrule.graph import Apply, Node
from chainrule.ops.base import Elementwise
from chainrule.server.network import Network

FINE, DEAD, SATURATED, EXPLODING = range(4)
STATES = ("fine", "dead", "saturated", "exploding")
DEAD_SLOPE = 1e-6
SATURATED_SLOPE = 0.02
SATURATED_SHARE = 0.95
HUGE = 100.0


def unit_states(
    network: Network, theta: np.ndarray, before: list[np.ndarray], values: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """A state for each hidden unit, and the number that says why.

    ========== =====================================================================
    dead       its slope is 0 for every point: no gradient passes, nothing will change
    saturated  its slope is below 2 % of the steepest for at least 95 % of the points
    exploding  the mean of its |values|, or a weight into it, is above 100
    ========== =====================================================================

    Parameters
    ----------
    before, values : list of ndarray
        What the activation of each hidden layer reads, and its output, for every point.

    Returns
    -------
    states : ndarray of uint8 (units,)
    reasons : ndarray of float32 (units,)
        Share of points where it is flat; for exploding, the size reached.
    """
    states, reasons = [], []
    parameters = network.objective.unpack(theta)
    for column, z, h in zip(network.columns, before, values, strict=False):
        slope = _slope(column.node, z, h)
        W = parameters[column.weights]
        size = np.maximum(np.abs(h).mean(axis=0), np.abs(W).max(axis=0))
        state, reason = _judge(slope, size)
        states.append(state)
        reasons.append(reason)
    if not states:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    return np.concatenate(states), np.concatenate(reasons)


def _slope(node: Node, z: np.ndarray, h: np.ndarray) -> np.ndarray:
    """dh/dz by the activation's own backward rule."""
    if not isinstance(node, Apply) or not isinstance(node.op, Elementwise):
        return np.ones_like(h)
    (slope,) = node.backward(np.ones_like(h), z, h)
    return np.abs(slope)


def _judge(slope: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = (slope < SATURATED_SLOPE).mean(axis=0)
    state = np.zeros(len(size), np.uint8)
    state[flat >= SATURATED_SHARE] = SATURATED
    state[(slope < DEAD_SLOPE).all(axis=0)] = DEAD
    exploding = size > HUGE
    state[exploding] = EXPLODING
    return state, np.where(exploding, size, flat).astype(np.float32)
