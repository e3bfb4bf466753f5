"""What a drawing of a graph shows: one box a node or a folded layer, and the lines between."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainrule.errors import GraphError
from chainrule.graph.layers import LayerNodes, layers_of
from chainrule.graph.node import Apply, Node
from chainrule.graph.show import describe, is_plain_number
from chainrule.ops.shapes import format_shape

if TYPE_CHECKING:
    from chainrule.graph.graph import Graph


@dataclass(eq=False)
class Box:
    """One box of the drawing.

    Attributes
    ----------
    kind : str
        That of its node; "layer" for a folded one, "end" for where an output leaves.
    title, lines : str, list of str
        What stands in it.
    about : str
        What it is, in full.
    nodes : tuple of Node
        Itself, or all that was folded into it.
    """

    kind: str
    title: str
    lines: list[str]
    about: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """From a box to a box that reads one of its nodes.

    Attributes
    ----------
    start, end : Box
    node : Node
        Whose value goes along it.
    readers : tuple of (Apply, int)
        Who reads it there, and as which operand; nobody at an end.
    """

    start: Box
    end: Box
    node: Node
    readers: tuple[tuple[Apply, int], ...]


@dataclass(frozen=True)
class Plan:
    """Boxes in an order in which each comes before those that read it, and the lines."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def plan(graph: Graph, fold: bool | Iterable[int] = False) -> Plan:
    """The boxes and lines of a graph; ``fold`` makes one box of each of these layers."""
    layers = layers_of(graph)
    folded = _chosen(layers, fold)
    box_of: dict[Node, Box] = {}
    boxes: list[Box] = []
    for layer in folded:
        box = _layer_box(graph, layer)
        box_of.update(dict.fromkeys(box.nodes, box))
    for node in graph.order:
        box = box_of.setdefault(node, _node_box(graph, node))
        if box not in boxes:
            boxes.append(box)
    lines = _lines(graph, box_of)
    for output in graph.outputs:
        end = Box("end", "", [], f"output {graph.names[output]}", ())
        boxes.append(end)
        lines.append(Line(box_of[output], end, output, ()))
    return Plan(_sorted(boxes, lines), lines)


def _chosen(layers: list[LayerNodes], fold: bool | Iterable[int]) -> list[LayerNodes]:
    if isinstance(fold, bool):
        return layers if fold else []
    numbers: Collection[int] = list(fold)
    known = {layer.number for layer in layers}
    for number in numbers:
        if number not in known:
            raise GraphError(
                f"fold: expected numbers of layers, 1 to {len(layers)}; came {number!r}"
            )
    return [layer for layer in layers if layer.number in numbers]


def _layer_box(graph: Graph, layer: LayerNodes) -> Box:
    names = ", ".join(graph.names[one] for one in layer.parameters)
    about = f"layer {layer.number}: {layer.words}; {layer.size:,} parameters ({names})"
    shown = [layer.words, format_shape(layer.nodes[-1].shape)]
    if layer.size:
        shown.append(f"{layer.size:,} parameters")
    nodes = (*layer.parameters, *layer.aside, *layer.nodes)
    return Box("layer", f"layer {layer.number}", shown, about, nodes)


def _node_box(graph: Graph, node: Node) -> Box:
    name = graph.names[node]
    if is_plain_number(node):
        return Box("number", node.label, [], "a number", (node,))
    about = f"{name} = {describe(node, graph.names)} {format_shape(node.shape)}"
    lines = [format_shape(node.shape)] if node.shape else []
    if isinstance(node, Apply) and node.op.name != name:
        lines.insert(0, node.op.name)
    elif not isinstance(node, Apply):
        lines.insert(0, node.kind)
    return Box(node.kind, name, lines, about, (node,))


def _lines(graph: Graph, box_of: dict[Node, Box]) -> list[Line]:
    """One line for each value that one box reads from another, however often it reads it."""
    readers: dict[tuple[Box, Node], list[tuple[Apply, int]]] = {}
    for node in graph.order:
        if not isinstance(node, Apply):
            continue
        for position, one in enumerate(node.inputs):
            if box_of[one] is not box_of[node]:
                readers.setdefault((box_of[node], one), []).append((node, position))
    return [Line(box_of[one], end, one, tuple(by)) for (end, one), by in readers.items()]


def _sorted(boxes: list[Box], lines: list[Line]) -> list[Box]:
    """Boxes before those that read them, by a walk without recursion."""
    sources: dict[Box, list[Box]] = {box: [] for box in boxes}
    for line in lines:
        sources[line.end].append(line.start)
    order: dict[Box, None] = {}
    stack = [(box, False) for box in reversed(boxes)]
    while stack:
        box, ready = stack.pop()
        if box in order:
            continue
        if ready:
            order[box] = None
            continue
        stack.append((box, True))
        stack.extend((one, False) for one in reversed(sources[box]) if one not in order)
    return list(order)
