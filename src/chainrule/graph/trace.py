"""Running a graph with real numbers, all at once or one node at a time.

A ``Trace`` is the one executor of the NumPy rules: the objective, the gradient check, the
step-through and the pictures all use it. It keeps the value and the gradient of every node, or
(``keep=False``) only what is still needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import GraphError, NumericalError, OptionError, ShapeError
from chainrule.graph.binding import Values, bind, precision, resolve
from chainrule.graph.drawing import svg_text
from chainrule.graph.graph import Graph
from chainrule.graph.markup import table
from chainrule.graph.node import Apply, Constant, Node
from chainrule.graph.notebook import MANY, cells, drawing_html
from chainrule.graph.show import align, describe, summary
from chainrule.graph.wires import wire_labels
from chainrule.ops.base import freed


@dataclass(frozen=True)
class Step:
    """One node having run forward or backward.

    Attributes
    ----------
    phase : {"forward", "backward"}
    node : Node
    name : str
        The node's name in its graph.
    value : ndarray
        Its value.
    gradient : ndarray or None
        Backward: the gradient of the output with respect to this node, complete.
    passed : dict of str to ndarray
        Backward: what this node adds to the gradient of each of its inputs.
    """

    phase: str
    node: Node
    name: str
    value: np.ndarray
    gradient: np.ndarray | None
    passed: dict[str, np.ndarray]


class Trace:
    """The values of every node for given leaves, and the gradient of one output.

    Parameters
    ----------
    graph : Graph, Node or sequence of Node
        What to compute. The gradient is that of the first output.
    values : mapping
        An array for every input, target and parameter, by name or node. A mask that is not
        given is all ones: nothing is dropped.
    dtype : dtype, optional
        The precision to compute in. Default: that of the parameters given, else float64.
    keep : bool
        ``False`` frees each value when nothing needs it any more.
    wrt : collection of Node, optional
        Compute gradients only towards these nodes. Default: towards all.

    Raises
    ------
    GraphError
        When a leaf has no value, or a value no leaf.
    ShapeError
        When a value has not the shape of its leaf, or two disagree on the number of rows.

    Examples
    --------
    >>> import chainrule as cr
    >>> w = cr.parameter("w", ())
    >>> trace = cr.Trace(w * w, {"w": 3.0})
    >>> trace.forward().item(), trace.backward()["w"].item()
    (9.0, 6.0)
    """

    def __init__(
        self,
        graph: Graph | Node | Collection[Node],
        values: Values,
        dtype: Any = None,
        *,
        keep: bool = True,
        wrt: Collection[Node] | None = None,
    ) -> None:
        if isinstance(graph, Node):
            graph = Graph(graph)
        self.graph = graph if isinstance(graph, Graph) else Graph(*graph)
        self.keep = keep
        self._wrt = None if wrt is None else {self.graph.resolve(node) for node in wrt}
        given = resolve(self.graph, values)
        self.dtype = np.dtype(dtype) if dtype is not None else precision(given)
        if self.dtype.kind != "f":
            raise OptionError(f"a trace computes in a floating-point dtype, got {self.dtype}")
        self._leaves = bind(self.graph, given, self.dtype)
        self._operations = [node for node in self.graph.order if isinstance(node, Apply)]
        self._needed = None if self._wrt is None else self.graph.depends_on(tuple(self._wrt))
        self.restart()

    def restart(self) -> None:
        """Forget everything computed; the leaves stay bound."""
        self._values: dict[Node, np.ndarray] = dict(self._leaves)
        self._gradients: dict[Node, np.ndarray] = {}
        self._freed: set[Node] = set()
        self._forward_done = 0
        self._backward_done: int | None = None
        self._last_use = _last_uses(self._operations) if not self.keep else {}

    # forward -----------------------------------------------------------------------------

    def forward(self) -> np.ndarray:
        """Run every node that has not run yet; the value of the first output."""
        while self.forward_step() is not None:
            pass
        return self._values[self.graph.outputs[0]]

    def forward_step(self) -> Step | None:
        """Run the next node forward; ``None`` when all have run."""
        if self._forward_done == len(self._operations):
            return None
        position = self._forward_done
        node = self._operations[position]
        with np.errstate(all="ignore"):  # what goes wrong is found as a non-finite value
            value = np.asarray(node.forward(*(self._values[one] for one in node.inputs)))
        self._values[node] = value
        self._forward_done += 1
        for one in self._last_use.get(position, ()):
            self._free(one)
        return Step("forward", node, self.graph.names[node], value, None, {})

    def _free(self, node: Node) -> None:
        if node not in self.graph.outputs:
            self._values[node] = freed(self._values[node])
            self._freed.add(node)

    # backward ----------------------------------------------------------------------------

    def backward(self, seed: Any = None) -> dict[str, np.ndarray]:
        """Run the chain rule from the first output back to the leaves.

        Parameters
        ----------
        seed : array, optional
            The gradient to start from, of the output's shape. Default: ones. So the
            gradient of a scalar is the usual one, that of several rows their sum's.

        Returns
        -------
        gradients : dict of str to ndarray
            By name, for every node (for ``wrt`` where that was given) that the output
            depends on. A second call starts afresh and does not add up.
        """
        self._start_backward(seed)
        while self.backward_step() is not None:
            pass
        return {
            self.graph.names[node]: gradient
            for node, gradient in self._gradients.items()
            if self._wrt is None or node in self._wrt
        }

    def _start_backward(self, seed: Any = None) -> None:
        if not self.keep and self._backward_done is not None:
            raise GraphError("a trace with keep=False runs backward once; restart it first")
        self.forward()
        output = self.graph.outputs[0]
        shape = self._values[output].shape
        start = np.ones(shape, self.dtype) if seed is None else np.asarray(seed, self.dtype)
        if start.shape != shape:
            raise ShapeError(f"the seed must have the output's shape {shape}, got {start.shape}")
        self._gradients = {output: start}
        self._backward_done = 0

    def backward_step(self) -> Step | None:
        """Run the next node backward, the last first; ``None`` when all have run."""
        if self._backward_done is None:
            self._start_backward()
        count = len(self._operations)
        while self._backward_done is not None and self._backward_done < count:
            node = self._operations[count - 1 - self._backward_done]
            self._backward_done += 1
            if node in self._gradients and (self._needed is None or node in self._needed):
                return self._pass_back(node)
        return None

    def _pass_back(self, node: Apply) -> Step:
        dy, value = self._gradients[node], self._values[node]
        operands = [self._values[one] for one in node.inputs]
        with np.errstate(all="ignore"):
            gradients = node.backward(dy, *operands, value)
        passed: dict[str, np.ndarray] = {}
        for one, gradient in zip(node.inputs, gradients, strict=True):
            if gradient is None or (self._needed is not None and one not in self._needed):
                continue
            gradient = np.asarray(gradient)
            # never in place: the array may be another node's gradient too
            earlier = self._gradients.get(one)
            self._gradients[one] = gradient if earlier is None else earlier + gradient
            name = self.graph.names[one]
            passed[name] = passed[name] + gradient if name in passed else gradient
        if not self.keep:
            self._free(node)
            if self._wrt is None or node not in self._wrt:
                del self._gradients[node]
        return Step("backward", node, self.graph.names[node], value, dy, passed)

    # reading -----------------------------------------------------------------------------

    def steps(self, seed: Any = None) -> Iterator[Step]:
        """Every node forward, then every node backward, one at a time."""
        while (step := self.forward_step()) is not None:
            yield step
        self._start_backward(seed)
        while (step := self.backward_step()) is not None:
            yield step

    def value(self, node: Node | str) -> np.ndarray:
        """The value of a node that has run."""
        node = self.graph.resolve(node)
        if node not in self._values:
            raise GraphError(f"{self.graph.names[node]!r} has no value yet: run forward()")
        if node in self._freed:
            raise GraphError(f"{self.graph.names[node]!r} was freed: trace it with keep=True")
        return self._values[node]

    def gradient(self, node: Node | str) -> np.ndarray:
        """∂output/∂node; zeros for a node that the output does not depend on.

        Between two steps backward it is the sum of what has arrived so far.
        """
        node = self.graph.resolve(node)
        name = self.graph.names[node]
        if self._backward_done is None:
            raise GraphError(f"{name!r} has no gradient yet: run backward()")
        if node in self._gradients:
            return self._gradients[node]
        if self._needed is not None and node not in self._needed:
            raise GraphError(f"the gradient of {name!r} was not asked for: add it to wrt")
        if not self.keep and isinstance(node, Apply):
            raise GraphError(f"the gradient of {name!r} was freed: trace it with keep=True")
        return np.zeros(self._values[node].shape, self.dtype)

    def check_finite(self, step: int | None = None) -> None:
        """Refuse infinities and NaNs, naming the first node that has one and what it read.

        Raises
        ------
        NumericalError
        """
        for node, value in self._values.items():
            if node in self._freed:
                continue
            if value.dtype.kind == "f" and not np.all(np.isfinite(value)):
                what = "NaN" if np.isnan(value).any() else "infinity"
                raise NumericalError(
                    f"{self.graph.names[node]} = {describe(node, self.graph.names)} is {what}",
                    step=step,
                    layer=self.graph.names[node],
                    cause=what,
                )

    def ran_backward(self, node: Node | str) -> bool:
        """Whether the gradients that ``node`` passes to its inputs have been computed."""
        node = self.graph.resolve(node)
        if self._backward_done is None or node not in self._gradients:
            return False
        count = len(self._operations)
        return node in self._operations[count - self._backward_done :]

    def to_svg(self, *, fold: bool | Iterable[int] = False, paper: str | None = "#ffffff") -> str:
        """The graph as ``Graph.to_svg`` draws it, values above each line, gradients below it.

        Large arrays are shown by their least and greatest number. Where a node is read several
        times, each line shows the part of the gradient that comes back along it.
        """
        return svg_text(self.graph, wire_labels(self), fold, paper, "Forward and backward pass")

    def _repr_svg_(self) -> str:
        return self.to_svg(fold=len(self.graph) > MANY)

    def _repr_html_(self) -> str:
        rows = table(_HEADS, cells(self._rows()))
        return drawing_html(self.graph, rows, wire_labels(self))

    def __repr__(self) -> str:
        return align(_HEADS, self._rows(), right=set())

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = []
        for node, name in self.graph.names.items():
            if isinstance(node, Constant) and node.name is None:
                continue
            value = "freed" if node in self._freed else summary(self._values.get(node))
            gradient = summary(self._gradients.get(node))
            rows.append((name, describe(node, self.graph.names), value, gradient))
        return rows


_HEADS = ("name", "operation", "value", "gradient")


def _last_uses(operations: list[Apply]) -> dict[int, list[Node]]:
    """After which step forward each computed value is no longer needed, by backward either."""
    kept: set[Node] = set()
    last: dict[Node, int] = {}
    for position, node in enumerate(operations):
        last[node] = position
        if "y" in node.op.reads:
            kept.add(node)
        for i, one in enumerate(node.inputs):
            last[one] = position
            operand = "*" if node.op.variadic else node.op.operands[i]
            if operand in node.op.reads:
                kept.add(one)
    by_step: dict[int, list[Node]] = {}
    for node, position in last.items():
        if node not in kept and isinstance(node, Apply):
            by_step.setdefault(position, []).append(node)
    return by_step
