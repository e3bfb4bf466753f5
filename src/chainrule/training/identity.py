"""What a training is of: options, data and network, described so that a change has a name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.graph import Graph, Node
from chainrule.graph.node import Apply
from chainrule.graph.stored import node_to_dict
from chainrule.training.objective import Objective
from chainrule.training.rows import PartitionedRows, Rows

__all__ = ["describe_data", "describe_network", "describe_rows", "describe_rule", "digest"]

WHOLE_BYTES = 8 * 2**20
"""Up to here an array is hashed whole."""

BLOCKS, BLOCK_BYTES = 128, 64 * 2**10
"""Of larger ones so many blocks, evenly spread, the first and the last rows among them."""


def describe_data(inputs: Mapping[str, Any], **others: Any) -> dict[str, str]:
    """Shape, type and digest of each array, by name.

    Arrays of more than 8 MiB are sampled: 128 blocks of rows, 64 KiB each. A change elsewhere in
    them is not noticed.
    """
    named = {**{f"input {name}": X for name, X in inputs.items()}, **others}
    return {
        f"{name}, {what}": said
        for name, array in named.items()
        if array is not None
        for what, said in _describe_array(array).items()
    }


def describe_rows(rows: Rows | PartitionedRows) -> dict[str, str]:
    """``describe_data`` of what is trained on; what rows in partitions say of themselves."""
    if isinstance(rows, PartitionedRows):
        return dict(rows.describe())
    return describe_data(rows.inputs, target=rows.y, sample_weight=rows.weight)


def _describe_array(array: Any) -> dict[str, str]:
    if hasattr(array, "tocsr"):
        array = array.tocsr()
        digests = [digest(part) for part in (array.indptr, array.indices, array.data)]
        content = hashlib.sha256("".join(digests).encode()).hexdigest()
    else:
        array = np.asarray(array)
        content = digest(array)
    return {
        "shape": " × ".join(map(str, array.shape)),
        "type": str(array.dtype),
        "content": f"SHA-256 {content[:16]}",
    }


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array's values, row after row; of blocks of rows where it is large."""
    found = hashlib.sha256()
    if array.nbytes <= WHOLE_BYTES:
        found.update(_bytes(array))
        return found.hexdigest()
    rows = len(array)
    size = max(1, BLOCK_BYTES * rows // array.nbytes)
    for start in np.linspace(0, rows - size, BLOCKS).astype(int).tolist():
        found.update(_bytes(array[start : start + size]))
    return found.hexdigest()


def _bytes(array: np.ndarray) -> bytes:
    if array.dtype.kind == "O":
        return repr(array.tolist()).encode()
    return np.ascontiguousarray(array).tobytes()


def describe_network(objective: Objective) -> dict[str, str]:
    """Each node by name: what it is and what it reads; the penalty's nodes too."""
    outputs = [objective.row_loss, *([] if objective.penalty is None else [objective.penalty])]
    graph = Graph(*outputs)
    return {name: _describe_node(node, graph) for node, name in graph.names.items()}


def _describe_node(node: Node, graph: Graph) -> str:
    if isinstance(node, Apply):
        return f"{node.op!r} of {', '.join(graph.names[one] for one in node.inputs)}"
    entry = {key: value for key, value in node_to_dict(node, {}).items() if key != "name"}
    text = json.dumps(entry)
    if len(text) > 200:
        text = f"{entry['kind']}, SHA-256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return text


def describe_rule(rule: Any) -> str:
    """A name and options in one line: of an update rule or a schedule."""
    options = ", ".join(f"{f.name}={getattr(rule, f.name)!r}" for f in dataclasses.fields(rule))
    return f"{type(rule).__name__}({options})"
