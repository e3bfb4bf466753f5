"""The one place where a graph is walked to be said in another language.

A target (ONNX, PyTorch, plain NumPy) has a table of rules, one an operation, and a way to say
leaves. What it has no rule for is refused by name before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from chainrule.errors import ExportError
from chainrule.graph import Graph, Node
from chainrule.graph.node import Apply, Mask
from chainrule.ops import REGISTRY

__all__ = ["uncovered", "walk"]

Value = TypeVar("Value")


def walk(
    outputs: Sequence[Node],
    leaf: Callable[[Node], Value],
    rules: Mapping[str, Callable[[Apply, list[Value]], Value]],
    known: Mapping[Node, Value] | None = None,
    *,
    target: str,
) -> list[Value]:
    """The value of each of ``outputs``.

    Parameters
    ----------
    outputs : sequence of Node
    leaf : callable
        From an input, a parameter or a constant to its value.
    rules : mapping of operation name to callable
        From a node and the values of what it reads to its value. Masks are not among them:
        outside training nothing is dropped.
    known : mapping of Node to value, optional
        Nodes that are not walked beyond.
    target : str
        For messages.

    Raises
    ------
    ExportError
        When there is no rule for one of the operations; names the node.
    """
    values: dict[Node, Value] = dict(known or {})
    order = [node for node in _needed(outputs, values) if not isinstance(node, Mask)]
    for node in order:
        if isinstance(node, Apply) and node.op.name not in rules:
            raise ExportError(
                f"{target}: node {node.label!r} is a {node.op.name!r}, for which there is no rule; "
                f"rules are there for {', '.join(sorted(rules))}"
            )
    for node in order:
        if isinstance(node, Apply):
            inputs = [values[one] for one in node.inputs if not isinstance(one, Mask)]
            values[node] = rules[node.op.name](node, inputs)
        else:
            values[node] = leaf(node)
    return [values[node] for node in outputs]


def uncovered(rules: Mapping[str, object]) -> tuple[str, ...]:
    """The operations of the registry that ``rules`` say nothing of, in alphabetical order."""
    return tuple(sorted(set(REGISTRY) - set(rules)))


def _needed(outputs: Sequence[Node], known: Mapping[Node, object]) -> list[Node]:
    """What has to be computed, operands first."""
    wanted = {node for node in outputs if node not in known}
    order = Graph(*outputs).order
    for node in reversed(order):
        if node in wanted:
            wanted.update(one for one in node.inputs if one not in known)
    return [node for node in order if node in wanted]
