"""What lowering rules build with: values and their places, steps, and the way back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.engine.penalties import NotLowered
from chainrule.engine.program import Leaf, Operand, Program, Step
from chainrule.graph import Graph, Input, Node, Target

_LOSSES = ("loss", "softmax_cross_entropy")  # no gradient goes to the target


@dataclass(eq=False)
class Value:
    """Where the value of a node lies; several nodes share one where nothing is computed."""

    space: str
    at: int
    width: int
    node: Node
    gradient: int = -1
    wanted: bool = False  # its gradient is needed
    written: bool = False  # some step backward has written its gradient
    leaf: Leaf | None = None


@dataclass(eq=False)
class _Emitted:
    step: Step
    y: Value
    operands: list[Value] = field(default_factory=list)
    in_place: bool = False  # the first operand's gradient may lie where the result's does


class Builder:
    """A program under construction."""

    def __init__(self, program: Program, graph: Graph, needed: Collection[Node]) -> None:
        self.program = program
        self.graph = graph
        self.needed = needed
        self.values: dict[Node, Value] = {}
        self.labels: dict[Node, Value] = {}
        self._emitted: list[_Emitted] = []
        self._statics: list[_Emitted] = []

    # places --------------------------------------------------------------------------------

    def room(self, width: int, name: str) -> int:
        """New units in the block of rows."""
        at = self.program.row_units
        self.program.row_units += width
        self.program.buffers.append((name, at, width))
        return at

    def new_value(self, node: Node) -> Value:
        """A block for the value of ``node``."""
        width = tail_width(node)
        value = Value("rows", self.room(width, self.graph.names[node]), width, node)
        self.values[node] = value
        return value

    def alias(self, node: Node, of: Value) -> None:
        """``node`` has the value of ``of``, element by element."""
        self.values[node] = of

    def leaf(self, node: Input | Target) -> None:
        """Room for data: real numbers at once, integers when somebody asks for them."""
        if not node.integer:
            self._real_leaf(node)
        else:
            self.values[node] = Value("later", 0, tail_width(node), node)

    def _real_leaf(self, node: Node) -> Value:
        value = self.new_value(node)
        value.leaf = self._add_leaf(node, "rows", value.at)
        return value

    def _add_leaf(self, node: Node, space: str, at: int) -> Leaf:
        name, shape = self.graph.names[node], tuple(int(size) for size in node.shape[1:])
        leaf = Leaf(name, node.kind, space, at, tail_width(node), shape)
        self.program.inputs.append(leaf)
        return leaf

    def as_labels(self, node: Node, low: float, high: float) -> Value:
        """The integers of an input or target, all between ``low`` and ``high``."""
        node = self.values[node].node
        if not isinstance(node, (Input, Target)) or not node.integer:
            raise NotLowered("indices and labels must be an integer input or target")
        if node not in self.labels:
            width = tail_width(node)
            value = Value("labels", self.program.label_units, width, node)
            value.leaf = self._add_leaf(node, "labels", value.at)
            value.leaf.low, value.leaf.high = low, high
            self.program.label_units += width
            self.labels[node] = value
        value = self.labels[node]
        if value.leaf is not None:
            value.leaf.low = max(value.leaf.low, low)
            value.leaf.high = min(value.leaf.high, high)
        return value

    def as_reals(self, node: Node) -> Value:
        """The value of ``node`` as real numbers; integers of a leaf are converted on loading."""
        value = self.values[node]
        return self._real_leaf(value.node) if value.space == "later" else value

    def note_zeros(self, value: Value) -> int:
        """The place of the record of an input's zeros, made on loading; −1 for computed values."""
        if value.leaf is None or value.width < 32:
            return -1
        if value.leaf.nonzero < 0:
            value.leaf.nonzero = self.program.nonzero_units
            self.program.nonzero_units += -(-value.width // 16) * 16
        return value.leaf.nonzero

    def map(self, indices: np.ndarray, width: int) -> int:
        """The number of an index map; −1 where it changes nothing."""
        flat = np.ascontiguousarray(indices, dtype=np.int32).ravel()
        if len(flat) == width and np.array_equal(flat, np.arange(width)):
            return -1
        self.program.maps.append(flat)
        return len(self.program.maps) - 1

    # steps ---------------------------------------------------------------------------------

    def emit(self, step: Step, y: Value, operands: list[Value], *, in_place: bool = False) -> None:
        """Add a forward step; ``step.operands`` stand for ``operands`` in the same order.

        ``in_place``: its way back may write the first operand's gradient over the result's.
        """
        y.wanted = y.node in self.needed
        self.program.forward.append(step)
        self._emitted.append(_Emitted(step, y, operands, in_place))

    def emit_static(self, step: Step, y: Value, operands: list[Value]) -> None:
        """Add a step on parameters alone."""
        for operand, value in zip(step.operands, operands, strict=True):
            operand.mode = "add" if value.node in self.needed else "none"
        self.program.prologue.append(step)
        self._statics.append(_Emitted(step, y, operands))

    @staticmethod
    def operand(value: Value, **places: Any) -> Operand:
        """How a step refers to ``value``."""
        return Operand(value.space, value.at, value.width, **places)

    # the way back --------------------------------------------------------------------------

    def backward(self, result: Value, partial: Collection[str]) -> None:
        """Steps from the gradient of ``result``, which is the weight of each row, to θ.

        ``partial`` names the operations that may reach some units of an operand several times or
        never: their gradients are added to zeros.
        """
        program = self.program
        result.gradient, result.written = program.weight_at, True
        steps: list[Step] = []
        for one in reversed(self._emitted):
            if not one.y.wanted:
                continue
            self._gradient_of(one.y)
            if one.y is result and one.step.op in _LOSSES:
                self._fuse_loss(one)
            else:
                self._step_back(one, steps, partial)
        program.backward = self._zeros_of_unused() + steps

    def _fuse_loss(self, one: _Emitted) -> None:
        scores, operand = one.operands[0], one.step.operands[0]
        one.step.fused, one.step.dy = True, one.y.gradient
        self._gradient_of(scores)
        operand.mode = "write" if scores.wanted else "none"
        operand.gradient = scores.gradient
        scores.written = True
        names = f"{one.step.node} + its gradient"
        self.program.fusions.append(names)

    def _step_back(self, one: _Emitted, steps: list[Step], partial: Collection[str]) -> None:
        step = one.step
        step.dy = one.y.gradient
        zeros: list[Step] = []
        if one.in_place and step.dy != self.program.weight_at:
            self._share_gradient(one.operands[0], step.dy)
        differentiable = 1 if step.op in _LOSSES else len(one.operands)
        for operand, value in list(zip(step.operands, one.operands, strict=True))[:differentiable]:
            if not self._wants(value):
                continue
            self._gradient_of(value)
            operand.gradient = value.gradient
            scattered = step.op in partial or (step.op == "binary" and operand.map >= 0)
            if scattered and not value.written:
                zeros.append(self._zero(value))
                value.written = True
            operand.mode = "add" if value.written else "write"
            value.written = True
        if any(operand.mode != "none" for operand in step.operands):
            steps += [*zeros, step]

    def _share_gradient(self, value: Value, at: int) -> None:
        if value.space == "rows" and value.gradient < 0 and self._wants(value):
            value.gradient = at

    def _wants(self, value: Value) -> bool:
        return value.node in self.needed and value.space not in ("labels", "none")

    def _gradient_of(self, value: Value) -> None:
        if value.space == "rows" and value.gradient < 0 and self._wants(value):
            value.gradient = self.room(value.width, f"d {self.graph.names[value.node]}")

    def _zero(self, value: Value) -> Step:
        at = value.gradient if value.space == "rows" else value.at
        name = f"d {self.graph.names[value.node]}"
        return Step("zero", value.width, [Operand(value.space, at, value.width)], name)

    def _zeros_of_unused(self) -> list[Step]:
        """Parts of the gradient vector that no step on rows writes."""
        covered = np.zeros(self.program.theta_size + self.program.derived_size, bool)
        for value in self.values.values():
            if value.space == "parameters" and value.written:
                covered[value.at : value.at + value.width] = True
        edges = np.flatnonzero(np.diff(np.concatenate(([True], covered, [True])).astype(np.int8)))
        return [
            Step(
                "zero",
                int(stop - start),
                [Operand("parameters", int(start), int(stop - start))],
                "gradients that no row reaches",
            )
            for start, stop in zip(edges[::2], edges[1::2], strict=True)
        ]


def tail_width(node: Node) -> int:
    """How many numbers ``node`` holds for one row."""
    return int(np.prod([int(size) for size in node.shape[1:]], dtype=np.int64))
