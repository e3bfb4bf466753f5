"""Which nodes of a graph make up a layer: what a summary lists and a drawing folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.graph.node import Apply, Node, Parameter
from chainrule.ops import ROWS

if TYPE_CHECKING:
    from chainrule.graph.graph import Graph

BEGINNERS = ("matmul", "take", "layer_norm")

SILENT = ("reshape", "scale", "identity")
"""Operations that change nothing worth a word."""

PHRASES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("multiply", "add", "cos", "multiply", "sum", "add", "concatenate"), "waves"),
    (("matmul", "add"), "dense"),
    (("matmul",), "dense without bias"),
)
"""What several operations in a row are called together."""


@dataclass(frozen=True)
class LayerNodes:
    """One layer of a graph.

    Attributes
    ----------
    number : int
        From 1.
    nodes : tuple of Apply
        Its operations on rows, in the order in which they run.
    parameters : tuple of Parameter
        Those that it reads first.
    aside : tuple of Apply
        What is computed from its parameters alone, such as a weight that is scaled.
    """

    number: int
    nodes: tuple[Apply, ...]
    parameters: tuple[Parameter, ...]
    aside: tuple[Apply, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers its parameters hold."""
        return sum(one.size for one in self.parameters)

    @property
    def words(self) -> str:
        """Its operations, as people say them: dense → relu."""
        names = [node.op.name for node in self.nodes if node.op.name not in SILENT]
        return " → ".join(_phrases(names or [self.nodes[-1].op.name]))


def layers_of(graph: Graph) -> list[LayerNodes]:
    """The layers between the inputs and the scores, first layer first.

    A layer begins at every product with a parameter, every embedding, every normalisation, and
    where a table of parameters is first met otherwise; what follows, activations and dropout
    among it, belongs to it. Losses and penalties belong to none.
    """
    of_target = graph.depends_on(graph.targets) if graph.targets else set()
    found: list[tuple[list[Apply], list[Parameter], list[Apply]]] = []
    seen: set[Node] = set()
    by_products = True  # whether the layer under way began with a product
    for node in graph.order:
        if not isinstance(node, Apply) or node in of_target or node.shape[:1] != (ROWS,):
            continue
        parameters, aside = _own(node)
        fresh = [one for one in parameters if one not in seen]
        product = node.op.name in BEGINNERS and bool(parameters)
        tabled = any(len(one.shape) >= 2 for one in fresh)
        if not found or product or (tabled and by_products):
            found.append(([], [], []))
            by_products = product
        nodes, own, beside = found[-1]
        nodes.append(node)
        own += fresh
        beside += [one for one in aside if one not in seen]
        seen.update(fresh, aside)
    return [
        LayerNodes(number, tuple(nodes), tuple(own), tuple(aside))
        for number, (nodes, own, aside) in enumerate(found, start=1)
    ]


def _own(node: Apply) -> tuple[list[Parameter], list[Apply]]:
    """The parameters that ``node`` reads, also through nodes that no row goes through."""
    parameters: dict[Parameter, None] = {}
    aside: dict[Apply, None] = {}
    stack = list(reversed(node.inputs))
    while stack:
        one = stack.pop()
        if isinstance(one, Parameter):
            parameters[one] = None
        elif isinstance(one, Apply) and ROWS not in one.shape:
            aside[one] = None
            stack.extend(reversed(one.inputs))
    return list(parameters), list(aside)


def _phrases(names: list[str]) -> list[str]:
    """The words for operations in a row, those that belong together as one."""
    phrases: list[str] = []
    while names:
        for words, phrase in PHRASES:
            if tuple(names[: len(words)]) == words:
                phrases.append(phrase)
                names = names[len(words) :]
                break
        else:
            # x + a (f(x) − x)
            parametric = names[1:4] == ["subtract", "multiply", "add"]
            phrases.append(f"parametric {names[0]}" if parametric else names[0])
            names = names[4 if parametric else 1 :]
    return phrases
