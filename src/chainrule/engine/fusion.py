"""Which neighbouring nodes become one step: product + bias + activation, scale + loading, gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from chainrule.engine.builder import Builder, Value
from chainrule.engine.gates import Gate, find_gate
from chainrule.engine.program import Step
from chainrule.graph import Apply, Graph, Input, Node, Parameter

# activations whose slope is known from y: nothing else has to be kept
_FROM_Y = {"sigmoid", "tanh", "relu"}


@dataclass
class Fusion:
    """Nodes that one step stands for, in order, and how to make it."""

    nodes: list[Node]
    lower: Callable[[Builder, Apply], None]


@dataclass
class Fusions:
    """The nodes that disappear inside a fusion, and the last node of each."""

    inside: set[Node] = field(default_factory=set)
    last: dict[Node, Fusion] = field(default_factory=dict)


def find_fusions(graph: Graph, with_rows: Collection[Node]) -> Fusions:
    """The fusions of a graph: what a node's only reader can take along."""
    readers = Counter(one for node in graph.order for one in node.inputs)
    readers.update(graph.outputs)
    only = {
        one: node
        for node in graph.order
        for one in node.inputs
        if readers[one] == 1 and isinstance(node, Apply)
    }
    fusions = Fusions()
    gates: dict[Node, Gate] = {}
    for node in graph.order:
        if isinstance(node, Apply) and node in with_rows:
            first = node.inputs[0]
            if node.op.name == "matmul" and first in with_rows:
                if node.inputs[1] not in with_rows:
                    dense = _Dense(node, *_scaled(node, readers, gates))
                    _fuse_dense(dense, only, with_rows, fusions)
            elif _scales_an_input(node, readers[first]):
                fusions.last[node] = Fusion([first, node], _lower_scaled_input)
            elif node not in fusions.last:
                gate = find_gate(node, readers, only, with_rows)
                if gate is not None:
                    gates[gate.nodes[-1]] = gate
    for last, gate in gates.items():
        if gate.pays:
            fusions.inside.update(gate.nodes[:-1])
            fusions.last[last] = Fusion(gate.nodes, gate.lower)
    return fusions


@dataclass
class _Dense:
    """A product x W, W the parameter itself where ``factor``, its scale, goes to x instead.

    x has a batch's rows and stays in the cache; W scaled would be one more matrix to write, and to
    go back through, in every step.
    """

    product: Apply
    W: Node
    factor: float = 1.0
    scaled: list[Node] = field(default_factory=list)


def _scaled(
    product: Apply, readers: Mapping[Node, int], gates: Mapping[Node, Gate]
) -> tuple[Node, float, list[Node]]:
    """W of a product, the factor that x is still to be scaled by, and the node that scaled W."""
    x, W = product.inputs
    if not isinstance(x, Apply) or not isinstance(W, Apply) or W.op.name != "scale":
        return W, 1.0, []
    if not isinstance(W.inputs[0], Parameter) or readers[W] != 1:
        return W, 1.0, []
    factor = float(W.op.options["factor"])
    if x in gates and readers[x] == 1:
        gates[x].factor = factor
        factor = 1.0
    return W.inputs[0], factor, [W]


def _scales_an_input(node: Apply, readers: int) -> bool:
    x = node.inputs[0]
    return node.op.name == "scale" and isinstance(x, Input) and readers == 1 and not x.integer


def _fuse_dense(
    dense: _Dense, only: dict[Node, Apply], with_rows: Collection[Node], fusions: Fusions
) -> None:
    product = dense.product
    nodes: list[Node] = [*dense.scaled, product]
    bias, activation = None, "identity"
    following = only.get(product)
    if following is not None and following.op.name == "add":
        other = next((one for one in following.inputs if one is not product), None)
        width = product.shape[1]
        if other is not None and other not in with_rows and other.shape in ((width,), (1, width)):
            nodes.append(following)
            bias = other
    following = only.get(nodes[-1])
    if following is not None and following.op.name in _FROM_Y:
        nodes.append(following)
        activation = following.op.name
    fusions.inside.update(nodes[:-1])
    fusions.last[nodes[-1]] = Fusion(
        nodes, lambda builder, last: _lower_dense(builder, dense, bias, activation, last)
    )


def _lower_dense(
    builder: Builder, dense: _Dense, bias: Node | None, activation: str, last: Apply
) -> None:
    a = builder.as_reals(dense.product.inputs[0])
    if dense.factor != 1:
        a = _lower_factor(builder, a, dense.factor)
    values = [a, builder.values[dense.W]]
    operands = [builder.operand(a, nonzero=builder.note_zeros(a)), builder.operand(values[1])]
    if bias is not None:
        values.append(builder.values[bias])
        operands.append(builder.operand(values[-1]))
    y = builder.new_value(last)
    name = builder.graph.names[last]
    step = Step("dense", y.width, operands, name, code=activation, y=y.at)
    builder.emit(step, y, values)


def _lower_factor(builder: Builder, a: Value, factor: float) -> Value:
    """``a`` times ``factor``, beside ``a``."""
    name = builder.graph.names[a.node]
    y = Value("rows", builder.room(a.width, f"{name} · factor"), a.width, a.node)
    step = Step("unary", a.width, [builder.operand(a)], name, code="scale", y=y.at, alpha=factor)
    builder.emit(step, y, [a])
    return y


def _lower_scaled_input(builder: Builder, node: Apply) -> None:
    value = builder.values[node.inputs[0]]
    if value.leaf is not None:
        value.leaf.scale = float(node.op.options["factor"])
    builder.alias(node, value)
