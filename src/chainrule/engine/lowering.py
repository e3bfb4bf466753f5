"""From a graph to a flat program: where every value lies, and which steps compute it.

Forward steps follow the graph's order; backward steps are those of the nodes between parameters
and result, in reverse. The first step backward that reaches a gradient writes it, the others add.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.engine.builder import Builder, Value
from chainrule.engine.fusion import Fusion, find_fusions
from chainrule.engine.penalties import NotLowered, penalty_strengths
from chainrule.engine.program import Program, Step
from chainrule.engine.rules import ROW_RULES, STATIC_RULES, WHOLE_ROWS
from chainrule.graph import Apply, Constant, Graph, Input, Mask, Node, Parameter, Target
from chainrule.ops import REGISTRY, ROWS

_PENALTIES = {"l1", "l2"}


def unlowered() -> list[str]:
    """Names of the operations that the engine has no step for."""
    lowered = ROW_RULES.keys() | STATIC_RULES.keys() | _PENALTIES
    return sorted(REGISTRY.keys() - lowered)


def lower(
    output: Node,
    vector: Any,
    penalty: Node | None = None,
    dtype: Any = "float64",
    *,
    gradient: bool | None = None,
) -> Program:
    """The program that computes ``output`` for a block of rows, and its gradient.

    Parameters
    ----------
    output : Node
        A row loss, or any node of shape ("rows", …).
    vector : ParameterVector
        Where each parameter lies in θ.
    penalty : Node, optional
        Sums of ``l1`` and ``l2`` of parameters.
    dtype : "float32" or "float64"
    gradient : bool, optional
        Default: for an output of shape ("rows",).

    Returns
    -------
    Program
        With ``not_lowered`` filled where it cannot run.
    """
    precision = np.dtype(dtype).name
    if gradient is None:
        gradient = output.shape == (ROWS,)
    program = Program(precision, int(vector.size))
    try:
        program.l1, program.l2 = penalty_strengths(penalty)
    except NotLowered as reason:
        program.not_lowered.append(str(reason))
    _Lowering(program, Graph(output), vector, gradient).run()
    return program


class _Lowering:
    def __init__(self, program: Program, graph: Graph, vector: Any, gradient: bool) -> None:
        self.program = program
        self.graph = graph
        self.vector = vector
        self.gradient = gradient
        self.output = graph.outputs[0]
        data = (*graph.inputs, *graph.targets, *graph.masks)
        self.with_rows = graph.depends_on(data) if data else set()
        needed = graph.depends_on(graph.parameters) if gradient and graph.parameters else set()
        self.fusions = find_fusions(graph, self.with_rows)
        self.builder = Builder(program, graph, needed)

    def run(self) -> None:
        self._check()
        if self.program.not_lowered:
            return
        self._place_parameters()
        for node in self.graph.order:
            self._lower_node(node)
        if not self.program.not_lowered:
            self._finish()

    def _check(self) -> None:
        """Note every node that no rule is for, before anything is placed."""
        if self.output not in self.with_rows:
            self.program.not_lowered.append(f"{self.graph.names[self.output]}: it reads no data")
        for node in self.graph.order:
            name = self.graph.names[node]
            if node in self.with_rows and (node.shape[:1] != (ROWS,) or ROWS in node.shape[1:]):
                self.program.not_lowered.append(f"{name}: its rows do not come first")
            elif isinstance(node, Apply):
                rules = ROW_RULES if node in self.with_rows else STATIC_RULES
                if node.op.name not in rules:
                    kind = "rows" if node in self.with_rows else "parameters alone"
                    self.program.not_lowered.append(f"{name}: no step for {node.op.name} on {kind}")

    def _place_parameters(self) -> None:
        """θ first, then room for what is derived from it, then constants."""
        inside = self.fusions.inside
        order = self.graph.order
        static = [node for node in order if node not in self.with_rows and node not in inside]
        for node in static:
            if isinstance(node, Parameter):
                where = self.vector.slices[str(node.name)]
                value = Value("parameters", where.start, node.size, node)
                self.builder.values[node] = value
        at = self.program.theta_size
        for node in static:
            if isinstance(node, Apply) and node.op.name not in ("reshape", "identity"):
                width = _width(node.shape)
                self.builder.values[node] = Value("parameters", at, width, node)
                at += width
        self.program.derived_size = at - self.program.theta_size
        for node in static:
            if isinstance(node, Constant):
                numbers = np.asarray(node.value, np.float64).ravel().tolist()
                self.builder.values[node] = Value("parameters", at, len(numbers), node)
                self.program.constants += numbers
                at += len(numbers)

    def _lower_node(self, node: Node) -> None:
        builder = self.builder
        if isinstance(node, (Parameter, Constant)):
            return
        try:
            if isinstance(node, (Input, Target)):
                builder.leaf(node)
            elif isinstance(node, Mask):
                y = builder.new_value(node)
                step = Step("mask", y.width, [], self.graph.names[node], y=y.at)
                step.alpha, step.group = node.rate, node.stream
                builder.emit(step, y, [])
            elif isinstance(node, Apply):
                self._lower_operation(node)
        except NotLowered as reason:
            self.program.not_lowered.append(f"{self.graph.names[node]}: {reason}")

    def _lower_operation(self, node: Apply) -> None:
        if any(
            one not in self.builder.values and one not in self.fusions.inside for one in node.inputs
        ):
            return  # something before it could not be lowered
        if node in self.fusions.inside:
            return
        elif node not in self.with_rows:
            STATIC_RULES[node.op.name](self.builder, node)
        elif node in self.fusions.last:
            fusion = self.fusions.last[node]
            if len(fusion.nodes) > 1:
                self.program.fusions.append(_tell(fusion, self.graph))
            fusion.lower(self.builder, node)
        else:
            ROW_RULES[node.op.name](self.builder, node)

    def _finish(self) -> None:
        program, builder = self.program, self.builder
        result = builder.values[self.output]
        if result.space != "rows":
            program.not_lowered.append(f"{self.graph.names[self.output]}: it is no real number")
            return
        program.output_at, program.output_width = result.at, result.width
        program.output_shape = tuple(int(size) for size in self.output.shape[1:])
        if self.gradient:
            program.weight_at = builder.room(1, "weight of the row")
            builder.backward(result, WHOLE_ROWS)
        program.block_rows = block_rows(program)


def block_rows(program: Program) -> int:
    """Rows of a block, a multiple of 16: it and the next rows stay in the second cache."""
    bytes_of_row = program.row_units * program.itemsize
    fitting = 256 * 1024 // max(bytes_of_row, 1)
    return int(min(max(fitting // 32 * 32, 64), 256))


def _tell(fusion: Fusion, graph: Graph) -> str:
    return " + ".join(f"{graph.names[one]}" for one in fusion.nodes)


def _width(shape: tuple[Any, ...]) -> int:
    return int(np.prod([int(size) for size in shape], dtype=np.int64))
