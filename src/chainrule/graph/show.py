"""A graph in words and as a drawing: an aligned table, and Graphviz text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.graph.node import Apply, Constant, Mask, Node, Parameter
from chainrule.ops.shapes import format_shape

_DOT_STYLE = {
    "input": 'shape=box, style="rounded,filled", fillcolor="#e3f0fa"',
    "target": 'shape=box, style="rounded,filled", fillcolor="#fdeeda"',
    "parameter": 'shape=box, style=filled, fillcolor="#e9f5e6"',
    "constant": "shape=plaintext",
    "mask": "shape=box, style=dashed",
    "operation": "shape=ellipse",
}


HEADS = ("name", "operation", "shape", "parameters")


def align(header: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> str:
    """A text table: columns padded to their widest cell, those in ``right`` to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    rule = "  ".join("─" * width for width in widths)
    return "\n".join([line(header), rule, *map(line, rows)])


def describe(node: Node, names: dict[Node, str]) -> str:
    """How the node comes by its value: ``matmul(x, W1)``, or its kind for a leaf."""
    if isinstance(node, Apply):
        operands = [_operand(one, names) for one in node.inputs]
        options = [f"{key}={_short(value)}" for key, value in node.op.changed_options.items()]
        return f"{node.op.name}({', '.join(operands + options)})"
    if isinstance(node, Mask):
        return f"mask, rate {node.rate:g}"
    return node.kind


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _operand(node: Node, names: dict[Node, str]) -> str:
    return node.label if is_plain_number(node) else names[node]


def is_plain_number(node: Node) -> bool:
    """Whether the node is shown as its value inside the operations that read it."""
    return isinstance(node, Constant) and node.name is None and node.value.size == 1


def table_text(names: dict[Node, str]) -> str:
    """One line a node: name, operation, shape, number of parameters; the total below."""
    total = sum(node.size for node in names if isinstance(node, Parameter))
    table = align(HEADS, table_rows(names), right={3})
    return f"{table}\n{_count(len(names), 'node')}, {_count(total, 'parameter')}"


def table_rows(names: dict[Node, str]) -> list[tuple[str, str, str, str]]:
    """Name, operation, shape and number of parameters of each node."""
    rows = []
    for node in names:
        if is_plain_number(node):
            continue
        count = f"{node.size:,}" if isinstance(node, Parameter) else ""
        rows.append((names[node], describe(node, names), format_shape(node.shape), count))
    return rows


def summary(array: np.ndarray | None) -> str:
    """An array in a few words: its numbers when few, else shape, mean and extremes."""
    if array is None:
        return "·"
    if array.size <= 4:
        text = np.array2string(array, formatter={"float_kind": _digits}, separator=", ")
        return text.replace("\n", "")
    text = f"{format_shape(array.shape)} "
    if array.dtype.kind != "f":
        return text + f"{array.min()}…{array.max()}"
    return text + f"mean {array.mean():.3g}, {array.min():.3g}…{array.max():.3g}"


def _digits(value: np.floating) -> str:
    return f"{value:.5g}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def dot_text(names: dict[Node, str]) -> str:
    """Graphviz text: an ellipse an operation, a box a leaf, shapes below the names."""
    index = {node: f"n{i}" for i, node in enumerate(names)}
    lines = ["digraph {", "  rankdir=LR;", '  node [fontname="Helvetica", fontsize=11];']
    for node in names:
        label = _operand(node, names)
        if isinstance(node, Apply) and node.name not in (None, node.op.name):
            label += f"\n{node.op.name}"
        text = _quote(f"{label}\n{format_shape(node.shape)}")
        lines.append(f"  {index[node]} [label={text}, {_DOT_STYLE[node.kind]}];")
    for node in names:
        lines.extend(f"  {index[one]} -> {index[node]};" for one in node.inputs)
    return "\n".join([*lines, "}"]) + "\n"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
