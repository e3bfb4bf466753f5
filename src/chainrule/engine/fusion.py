"""Which neighbouring nodes become one step: product + bias + activation, scale + loading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from chainrule.engine.builder import Builder
from chainrule.engine.program import Step
from chainrule.graph import Apply, Graph, Input, Node

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
    for node in graph.order:
        if isinstance(node, Apply) and node in with_rows:
            first = node.inputs[0]
            if node.op.name == "matmul" and first in with_rows:
                if node.inputs[1] not in with_rows:
                    _fuse_dense(node, only, with_rows, fusions)
            elif _scales_an_input(node, readers[first]):
                fusions.last[node] = Fusion([first, node], _lower_scaled_input)
    return fusions


def _scales_an_input(node: Apply, readers: int) -> bool:
    x = node.inputs[0]
    return node.op.name == "scale" and isinstance(x, Input) and readers == 1 and not x.integer


def _fuse_dense(
    product: Apply, only: dict[Node, Apply], with_rows: Collection[Node], fusions: Fusions
) -> None:
    nodes: list[Node] = [product]
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
        nodes, lambda builder, last: _lower_dense(builder, product, bias, activation, last)
    )


def _lower_dense(
    builder: Builder, product: Apply, bias: Node | None, activation: str, last: Apply
) -> None:
    a, W = builder.as_reals(product.inputs[0]), builder.values[product.inputs[1]]
    values = [a, W]
    operands = [builder.operand(a, nonzero=builder.note_zeros(a)), builder.operand(W)]
    if bias is not None:
        values.append(builder.values[bias])
        operands.append(builder.operand(values[-1]))
    y = builder.new_value(last)
    name = builder.graph.names[last]
    step = Step("dense", y.width, operands, name, code=activation, y=y.at)
    builder.emit(step, y, values)


def _lower_scaled_input(builder: Builder, node: Apply) -> None:
    value = builder.values[node.inputs[0]]
    if value.leaf is not None:
        value.leaf.scale = float(node.op.options["factor"])
    builder.alias(node, value)
