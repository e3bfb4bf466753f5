"""What of a graph can be drawn as columns of neurons, and what stands between them as a box."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.graph import Apply, Graph, Mask, Node, Parameter
from chainrule.ops.base import Elementwise


@dataclass(frozen=True, eq=False)
class Column:
    """A dense layer: a column of neurons.

    Attributes
    ----------
    node : Node
        Its output, (rows, units).
    before : Node
        What its activation reads: x W + b.
    weights, biases : str or None
        Names of its parameters.
    activation : str
    """

    node: Node
    before: Node
    weights: str
    biases: str | None
    activation: str

    @property
    def units(self) -> int:
        """Its neurons."""
        return int(self.node.shape[1])


@dataclass(frozen=True)
class Box:
    """An operation that is no dense layer, such as dropout.

    Attributes
    ----------
    column : int
        How many columns stand before it.
    """

    column: int
    name: str


def drawable(scores: Node) -> tuple[tuple[Column, ...], tuple[Box, ...]]:
    """The columns and boxes on the way to ``scores``, in the order in which they run.

    A product with a matrix of parameters begins a column; the bias and the activation that
    follow it, and nothing else reads, belong to it. Every other operation is a box.
    """
    graph = Graph(scores)
    columns: list[Column] = []
    boxes: list[Box] = []
    taken: set[Node] = set()
    for node in graph.order:
        if not isinstance(node, Apply) or node in taken:
            continue
        if node.op.name == "matmul" and isinstance(node.inputs[1], Parameter):
            column, parts = _column(node, graph)
            columns.append(column)
            taken.update(parts)
        else:
            boxes.append(Box(len(columns), _label(node)))
    return tuple(columns), tuple(boxes)


def _column(product: Apply, graph: Graph) -> tuple[Column, list[Node]]:
    before: Node = product
    parts: list[Node] = [product]
    biases = None
    follower = _only_reader(before, graph)
    if follower is not None and follower.op.name == "add" and _is_bias(follower.inputs[1]):
        biases, before = str(follower.inputs[1].name), follower
        parts.append(follower)
        follower = _only_reader(before, graph)
    activation = follower is not None and isinstance(follower.op, Elementwise)
    if follower is None or not activation or len(follower.inputs) != 1:
        return Column(before, before, str(product.inputs[1].name), biases, "identity"), parts
    weights = str(product.inputs[1].name)
    return Column(follower, before, weights, biases, follower.op.name), [*parts, follower]


def _label(node: Apply) -> str:
    masks = [one for one in node.inputs if isinstance(one, Mask)]
    return f"dropout {masks[0].rate:g}" if masks else node.op.name.replace("_", " ")


def _only_reader(node: Node, graph: Graph) -> Apply | None:
    readers = [one for one in graph.order if isinstance(one, Apply) and node in one.inputs]
    return readers[0] if len(readers) == 1 else None


def _is_bias(node: Node) -> bool:
    return isinstance(node, Parameter) and node.ndim == 1
