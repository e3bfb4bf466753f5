"""What goes along the lines of a traced graph: values forward, gradients back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import GraphError
from chainrule.graph.boxes import Line
from chainrule.graph.drawing import Labels
from chainrule.graph.node import Apply, Node
from chainrule.graph.show import summary

if TYPE_CHECKING:
    from chainrule.graph.trace import Trace


def wire_labels(trace: Trace) -> Labels:
    """Of each line the value, and the gradient that comes back along this very line.

    A node that is read twice gets the sum of what comes back along its lines; a line shows its
    own part. Nothing stands where nothing has run yet, or was freed.
    """
    passed: dict[Apply, tuple[np.ndarray | None, ...]] = {}

    def gradients(reader: Apply) -> tuple[np.ndarray | None, ...]:
        if reader not in passed:
            passed[reader] = _passed(trace, reader)
        return passed[reader]

    def labels(line: Line) -> tuple[str, str, str]:
        value = _value(trace, line.node)
        parts = [gradients(reader)[position] for reader, position in line.readers]
        gradient = _seed(trace, line.node) if not line.readers else None
        if parts and all(part is not None for part in parts):
            gradient = np.asarray(sum(part for part in parts if part is not None))
        name = trace.graph.names[line.node]
        both = f"{name}: {summary(value)}"
        if gradient is not None:
            both += f"\ngradient that comes back here: {summary(gradient)}"
        return brief(value), brief(gradient), both

    return labels


def brief(array: np.ndarray | None) -> str:
    """An array in a few letters: its numbers when few, else the least and the greatest."""
    if array is None or not array.size:
        return ""
    if array.size <= 2:
        numbers = ", ".join(_short(one) for one in array.ravel())
        return f"[{numbers}]" if array.ndim else numbers
    with np.errstate(invalid="ignore"):
        return f"{_short(array.min())} … {_short(array.max())}"


def _short(value: float | np.generic) -> str:
    return f"{value:.3g}".replace("-", "−")


def _value(trace: Trace, node: Node) -> np.ndarray | None:
    try:
        return trace.value(node)
    except GraphError:
        return None


def _seed(trace: Trace, output: Node) -> np.ndarray | None:
    """What the pass back began with; it begins at the first output."""
    try:
        return trace.gradient(output) if output is trace.graph.outputs[0] else None
    except GraphError:
        return None


def _passed(trace: Trace, reader: Apply) -> tuple[np.ndarray | None, ...]:
    """What ``reader`` passes back to each of its operands; nothing before it ran backward."""
    nothing = (None,) * len(reader.inputs)
    if not trace.ran_backward(reader):
        return nothing
    try:
        operands = [trace.value(one) for one in reader.inputs]
        with np.errstate(all="ignore"):
            found = reader.backward(trace.gradient(reader), *operands, trace.value(reader))
    except GraphError:  # freed
        return nothing
    return tuple(
        None if one is None or node.kind in ("target", "constant") else np.asarray(one)
        for one, node in zip(found, reader.inputs, strict=True)
    )
