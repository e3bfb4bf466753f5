"""A graph made ready to be run many times on new numbers.

A. ``Trace`` looks up, checks and names everything at every run, so that a person can stop
   anywhere and look. For a network of a few thousand parameters that costs as much as the
   arithmetic, so what training repeats thousands of times is prepared once here.
B. Compiling to one closure a graph would save little more and could not be read.

The rules are the operations' own: nothing is computed here that they do not compute.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from chainrule.graph import Graph, Node
from chainrule.graph.node import Apply, Constant, Mask
from chainrule.ops import Operation
from chainrule.ops.base import freed

Values = list[np.ndarray]  # one a node, in the graph's order


class _BackwardStep(NamedTuple):
    place: int
    op: Operation
    operands: list[int]
    wanted: tuple[bool, ...]


@lru_cache(maxsize=256)
def _blank(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return freed(np.broadcast_to(np.zeros((), dtype), shape))


class Plan:
    """The operations of ``graph`` in order, each with the places of what it reads.

    Parameters
    ----------
    graph : Graph
        Its first output is what ``backward`` starts from.
    dtype : dtype
        The precision to compute in.
    wrt : collection of Node
        The leaves whose gradients are wanted.
    """

    def __init__(self, graph: Graph, dtype: np.dtype, wrt: Collection[Node] = ()) -> None:
        place = {node: i for i, node in enumerate(graph.order)}
        needed = graph.depends_on(tuple(wrt)) if wrt else set()
        self.output = place[graph.outputs[0]]
        self._count = len(graph.order)
        self._wrt = {node: place[node] for node in wrt}
        self._leaves = [
            (node, place[node]) for node in graph.order if not isinstance(node, (Apply, Constant))
        ]
        self._constants = [
            (graph.constant(node, dtype), place[node])
            for node in graph.order
            if isinstance(node, Constant)
        ]
        operations = [node for node in graph.order if isinstance(node, Apply)]
        self._place, self._leaf_places = place, {i for _, i in [*self._leaves, *self._constants]}
        self._forward = [
            (place[node], node.op.forward, [place[one] for one in node.inputs], dead)
            for node, dead in zip(operations, self._dead_after(operations, needed), strict=True)
        ]
        self._backward = [
            _BackwardStep(
                place[node],
                node.op,
                [place[one] for one in node.inputs],
                tuple(one in needed for one in node.inputs),
            )
            for node in reversed(operations)
            if node in needed
        ]
        self._one = np.ones((), dtype)

    def _dead_after(self, operations: list[Apply], needed: set[Node]) -> list[list[int]]:
        """For each operation the values that nothing reads after it ran, backward included."""
        kept = {self.output}
        last: dict[int, int] = {}
        for position, node in enumerate(operations):
            last[self._place[node]] = position
            if node in needed and "y" in node.op.reads:
                kept.add(self._place[node])
            for i, one in enumerate(node.inputs):
                last[self._place[one]] = position
                name = "*" if node.op.variadic else node.op.operands[i]
                if node in needed and name in node.op.reads:
                    kept.add(self._place[one])
        dead: list[list[int]] = [[] for _ in operations]
        for place, position in last.items():
            if place not in kept and place not in self._leaf_places:
                dead[position].append(place)
        return dead

    def forward(self, leaves: Mapping[Node, np.ndarray]) -> Values:
        """The value of every node that is still needed. A mask not given drops nothing."""
        values: Values = [self._one] * self._count
        for node, i in self._leaves:
            if not isinstance(node, Mask) or node in leaves:
                values[i] = leaves[node]
        for constant, i in self._constants:
            values[i] = constant
        for i, rule, operands, dead in self._forward:
            values[i] = rule(*(values[k] for k in operands))
            for k in dead:
                values[k] = _blank(values[k].shape, values[k].dtype)
        return values

    def backward(self, values: Values, seed: np.ndarray) -> dict[Node, np.ndarray]:
        """The gradient of the first output, times ``seed``, towards each node of ``wrt``.

        Uses up ``values``.
        """
        gradients: list[np.ndarray | None] = [None] * self._count
        gradients[self.output] = seed
        for step in self._backward:
            i = step.place
            dy = gradients[i]
            if dy is None:
                continue
            passed = step.op.backward_some(
                step.wanted, dy, *(values[k] for k in step.operands), values[i]
            )
            gradients[i] = None
            values[i] = self._one
            for k, wanted, gradient in zip(step.operands, step.wanted, passed, strict=True):
                if wanted and gradient is not None:
                    earlier = gradients[k]
                    # never in place: the array may be another node's gradient too
                    gradients[k] = gradient if earlier is None else earlier + gradient
        return {
            node: gradient
            for node, i in self._wrt.items()
            if (gradient := gradients[i]) is not None
        }
