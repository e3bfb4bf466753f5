"""Nodes as plain data and back: what a model file or a browser is told of a graph.

What is read may come from anywhere. It goes through the same doors as what is written by hand:
a leaf through its function, an operation through its own checks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import GraphError
from chainrule.graph.functions import LEAVES
from chainrule.graph.node import Apply, Constant, Mask, Node, check_leaf
from chainrule.ops import REGISTRY, normalization, options

_CONSTANT_DTYPES = [str(np.dtype(code)) for code in "?bBhHiIqQefd"]


def node_to_dict(node: Node, index: dict[Node, int]) -> dict[str, Any]:
    """``node`` as numbers, strings and lists, its inputs by their number in ``index``."""
    entry: dict[str, Any] = {"kind": node.kind, "name": node.name}
    if isinstance(node, Apply):
        entry |= {"op": node.op.name, "inputs": [index[one] for one in node.inputs]}
        entry["options"] = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in node.op.options.items()
        }
    elif isinstance(node, Constant):
        entry |= {"value": node.value.tolist(), "dtype": str(node.value.dtype)}
    else:
        entry |= {"shape": list(node.shape), "integer": node.integer}
    if isinstance(node, Mask):
        entry |= {"rate": node.rate, "stream": node.stream}
    return entry


def node_from_dict(entry: dict[str, Any], nodes: list[Node]) -> Node:
    """The node that ``node_to_dict`` gave, its inputs taken from ``nodes``."""
    kind, name = entry["kind"], entry["name"]
    if name is not None and not isinstance(name, str):
        raise GraphError(f"a stored node's name must be a string, got {name!r}")
    if kind == "operation":
        return _operation(entry, name, nodes)
    if kind == "constant":
        if entry["dtype"] not in _CONSTANT_DTYPES:
            raise GraphError(f"constant {name!r} must hold numbers, got {entry['dtype']!r}")
        return Constant(np.array(entry["value"], dtype=entry["dtype"]), name)
    if kind == "mask":
        shape = check_leaf(kind, name or kind, entry["shape"])
        stream = options.integer("mask: stream", entry["stream"])
        return Mask(shape, normalization.Dropout(entry["rate"]).rate, stream, name)
    if kind == "parameter":
        return LEAVES[kind](name, entry["shape"])
    if kind in ("input", "target"):
        integer = options.flag(f"{kind} {name!r}: integer", entry["integer"])
        return LEAVES[kind](name, entry["shape"], dtype=int if integer else float)
    raise GraphError(f"a stored node's kind is unknown here: {kind!r}")


def _operation(entry: dict[str, Any], name: str | None, nodes: list[Node]) -> Apply:
    if entry["op"] not in REGISTRY:
        raise GraphError(
            f"the operation {entry['op']!r} is unknown here; the file may come from a newer version"
        )
    inputs = tuple(nodes[node_index(i, nodes)] for i in entry["inputs"])
    return Apply(REGISTRY[entry["op"]](**entry["options"]), inputs, name)


def node_index(i: Any, nodes: list[Node]) -> int:
    """``i``, if it is the number of one of ``nodes``."""
    if isinstance(i, bool) or not isinstance(i, int) or not 0 <= i < len(nodes):
        raise GraphError(f"a stored graph may only refer to earlier nodes, got {i!r}")
    return i
