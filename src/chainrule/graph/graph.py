"""A graph: everything that its outputs are computed from, in an order in which it can run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import GraphError
from chainrule.graph.drawing import svg_text
from chainrule.graph.markup import table
from chainrule.graph.node import Apply, Constant, Input, Mask, Node, Parameter, Target
from chainrule.graph.notebook import MANY, cells, drawing_html
from chainrule.graph.show import HEADS, dot_text, is_plain_number, table_rows, table_text
from chainrule.graph.stored import node_from_dict, node_index, node_to_dict


class Graph:
    """The nodes that ``outputs`` depend on, operands before what reads them.

    Attributes
    ----------
    outputs : tuple of Node
        As given.
    order : tuple of Node
        Every node once, each after its inputs.
    inputs, targets, parameters, masks : tuple of Node
        The leaves of each kind, in order of first use.

    Raises
    ------
    GraphError
        When two leaves or two named operations share a name.
    """

    def __init__(self, *outputs: Node) -> None:
        if not outputs:
            raise GraphError("a graph needs at least one output, got none")
        for output in outputs:
            if not isinstance(output, Node):
                raise GraphError(f"a graph's output must be a Node, got {type(output).__name__}")
        self.outputs = outputs
        self.order = _topological(outputs)
        self.inputs = self._leaves(Input)
        self.targets = self._leaves(Target)
        self.parameters = self._leaves(Parameter)
        self.masks = self._leaves(Mask)
        self.names = _unique_names(self.order)
        self._by_name = {name: node for node, name in self.names.items()}

    def _leaves(self, kind: type[Any]) -> tuple[Any, ...]:
        return tuple(node for node in self.order if isinstance(node, kind))

    def __getitem__(self, name: str) -> Node:
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name)
            raise GraphError(f"no node is called {name!r}; there are: {known}") from None

    def __contains__(self, node: object) -> bool:
        return node in self._by_name if isinstance(node, str) else node in self.names

    def __iter__(self) -> Iterator[Node]:
        return iter(self.order)

    def __len__(self) -> int:
        return len(self.order)

    def resolve(self, key: Node | str) -> Node:
        """The node called ``key``, or ``key`` itself if it is one of this graph's nodes."""
        if isinstance(key, str):
            return self[key]
        if key not in self.names:
            raise GraphError(f"{key!r} is not part of this graph")
        return key

    def depends_on(self, leaves: tuple[Node, ...]) -> set[Node]:
        """The nodes that can be reached from ``leaves``, those included."""
        reached = set(leaves)
        for node in self.order:
            if any(one in reached for one in node.inputs):
                reached.add(node)
        return reached

    def constant(self, node: Constant, dtype: Any) -> np.ndarray:
        """The value of ``node`` to compute with in ``dtype``.

        Integers stay integers where an operation reads them as labels or indices; anywhere else
        2 · x would widen a float32 x.
        """
        whole = node.integer and node in self._read_as_integers
        return node.value if whole else node.value.astype(dtype, copy=False)

    @cached_property
    def _read_as_integers(self) -> set[Node]:
        return {
            one
            for node in self.order
            if isinstance(node, Apply) and node.op.integers
            for operand, one in zip(node.op.operands, node.inputs, strict=True)
            if operand in node.op.integers
        }

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle and deepcopy would recurse from node to node, and end at a hundred of them
        index = {node: i for i, node in enumerate(self.order)}
        flat = [
            (node.op, [index[one] for one in node.inputs], node.name)
            if isinstance(node, Apply)
            else node
            for node in self.order
        ]
        return _restored, (flat, [index[node] for node in self.outputs])

    def __repr__(self) -> str:
        return table_text(self.names)

    def _repr_html_(self) -> str:
        rows = cells(table_rows(self.names))
        return drawing_html(self, table(HEADS, rows, {3}, table_text(self.names).splitlines()[-1]))

    def _repr_svg_(self) -> str:
        return self.to_svg(fold=len(self) > MANY)

    def to_svg(self, *, fold: bool | Iterable[int] = False, paper: str | None = "#ffffff") -> str:
        """The graph as SVG: a box a node, from the inputs on the left to the outputs.

        Parameters
        ----------
        fold : bool or iterable of int
            Layers drawn as one box: all, none, or those of these numbers, from 1.
        paper : str, optional
            The colour behind it; ``None`` takes background and ink of the page around it.
        """
        return svg_text(self, None, fold, paper)

    def to_dot(self) -> str:
        """The graph in Graphviz's language, for ``dot -Tsvg``."""
        return dot_text(self.names)

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain data (numbers, strings, lists), for JSON.

        Initial values of parameters are not part of it: what is kept is the network, and its
        parameters are kept beside it.
        """
        index = {node: i for i, node in enumerate(self.order)}
        nodes = [node_to_dict(node, index) for node in self.order]
        return {"nodes": nodes, "outputs": [index[node] for node in self.outputs]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Graph:
        """The graph that ``to_dict`` gave; anything else is refused with a ``GraphError``."""
        nodes: list[Node] = []
        try:
            for entry in data["nodes"]:
                nodes.append(node_from_dict(entry, nodes))
            return cls(*(nodes[node_index(i, nodes)] for i in data["outputs"]))
        except GraphError:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise GraphError(
                f"node {len(nodes)} of the stored graph is malformed: {error!r}"
            ) from error


def _restored(flat: list[Any], outputs: list[int]) -> Graph:
    nodes: list[Node] = []
    for entry in flat:
        if not isinstance(entry, Node):
            op, inputs, name = entry
            entry = Apply(op, tuple(nodes[i] for i in inputs), name)
        nodes.append(entry)
    return Graph(*(nodes[i] for i in outputs))


def _topological(outputs: tuple[Node, ...]) -> tuple[Node, ...]:
    """Depth first and iterative: recursion would end at a thousand nodes."""
    order: dict[Node, None] = {}
    stack = [(node, False) for node in reversed(outputs)]
    while stack:
        node, ready = stack.pop()
        if node in order:
            continue
        if ready:
            order[node] = None
        else:
            stack.append((node, True))
            stack.extend((one, False) for one in reversed(node.inputs) if one not in order)
    return tuple(order)


def _unique_names(order: tuple[Node, ...]) -> dict[Node, str]:
    """Given names as they are; ``matmul``, ``matmul_2``, … for nodes without one."""
    names: dict[Node, str] = {}
    taken: dict[str, Node] = {}
    for node in order:
        if node.name is None:
            continue
        if node.name in taken:
            raise GraphError(
                f"two nodes are called {node.name!r}: {taken[node.name]!r} and {node!r}; "
                "give one another name"
            )
        taken[node.name] = node
    counts: dict[str, int] = {}
    for node in order:
        name = node.name
        if name is None:
            base = node.op.name if isinstance(node, Apply) else node.kind
            base = "number" if is_plain_number(node) else base
            while name is None or name in taken:
                counts[base] = counts.get(base, 0) + 1
                name = base if counts[base] == 1 else f"{base}_{counts[base]}"
            taken[name] = node
        names[node] = name
    return names
