"""From settings to a network: the graph that is learnt, checked, drawn and stepped through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph import FUNCTIONS, Apply, Graph, Node, Trace
from chainrule.graph.functions import input as input_leaf
from chainrule.graph.functions import parameter, target
from chainrule.networks import Dropout, activation_function, normal
from chainrule.server.drawable import Box, Column, drawable
from chainrule.server.points import Points
from chainrule.server.settings import (
    CLASSIFICATION_LOSSES,
    FULL_BATCH_SOLVERS,
    REGRESSION_LOSSES,
)
from chainrule.training import Objective

INITS: dict[str, Any] = {"small_normal": normal(0.001)}

PIXELS = "pixels"
"""The node that scales the bytes of images to [0, 1]: no layer of neurons."""

Stack = Callable[[Node], Node]
"""From the input to what the output layer reads: somebody's own hidden layers."""


@dataclass(frozen=True, eq=False)
class Network:
    """A layered network and its loss.

    Attributes
    ----------
    objective : Objective
    columns : tuple of Column
        The hidden layers as they are drawn, then the output layer.
    boxes : tuple of Box
        What stands between them.
    output : Node
        What the page shows of the last layer, (rows, outputs): a value in [−1, 1] for two classes
        with one output, probabilities for more, the prediction itself for regression.
    sizes : tuple of int
        Columns read, units of each hidden layer, outputs.
    kind : {"sign", "classes", "value"}
        How ``output`` is read: the sign of one number, the largest of several, a number.
    is_own : bool
        Whether its hidden layers are somebody's own: it reads the original columns, and its loss
        the original values.
    """

    objective: Objective
    columns: tuple[Column, ...]
    boxes: tuple[Box, ...]
    output: Node
    sizes: tuple[int, ...]
    kind: str
    is_own: bool = False
    _graphs: dict[tuple[Node, ...], Graph] = field(default_factory=dict, init=False, repr=False)

    @property
    def layers(self) -> tuple[Node, ...]:
        """The output of each hidden layer, (rows, units)."""
        return tuple(column.node for column in self.columns[:-1])

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Labels as the loss reads them."""
        node = self.objective.target
        if node.integer or self.kind == "value":
            return y
        low = -1.0 if self.objective.row_loss.inputs[0] is self.output else 0.0
        if self.kind == "sign":
            return np.where(y == 1, 1.0, low)
        return np.where(np.equal.outer(y, np.arange(self.sizes[-1])), 1.0, low)

    def values(self, theta: np.ndarray, X: np.ndarray) -> list[np.ndarray]:
        """The output of every hidden layer, then ``output``, for every row of X."""
        return self.evaluate(theta, X, (*self.layers, self.output))

    def judge(
        self, theta: np.ndarray, X: np.ndarray, t: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The loss and ``output`` for every row, by their own rules on what the engine computes."""
        scores = self.objective.forward(theta, X, self.columns[-1].node)
        row_loss, output = self.objective.row_loss, self.output
        if not isinstance(row_loss, Apply) or not isinstance(output, Apply):
            raise TypeError("a loss and an output are operations")
        answers = output.forward(scores)
        return row_loss.forward(answers if row_loss.inputs[0] is output else scores, t), answers

    def evaluate(self, theta: np.ndarray, X: np.ndarray, nodes: Sequence[Node]) -> list[np.ndarray]:
        """The values of any nodes that the loss is computed from, for every row of X."""
        wanted = tuple(nodes)
        if wanted not in self._graphs:
            self._graphs[wanted] = Graph(*wanted)
        graph = self._graphs[wanted]
        given = self.objective.unpack(theta)
        leaves = {str(node.name): given[str(node.name)] for node in graph.parameters}
        trace = Trace(graph, {**leaves, "x": X}, dtype=theta.dtype)
        trace.forward()
        return [trace.value(node) for node in graph.outputs]

    def predict(self, output: np.ndarray) -> np.ndarray:
        """Classes (or values) from ``output``'s value."""
        if self.kind == "classes":
            return output.argmax(axis=1)
        return (output[:, 0] >= 0).astype(np.int64) if self.kind == "sign" else output[:, 0]


def build(settings: Mapping[str, Any], points: Points, own: Stack | None = None) -> Network:
    """The network of these settings for these points.

    x → z1 = x W1 + b1 → h1 = f(z1) → … → scores; the penalty reads the matrices, not the biases.

    Parameters
    ----------
    own : callable, optional
        Hidden layers in place of those that the settings describe.
    """
    _check_loss(settings["loss"], points)
    classes, loss = len(points.classes), settings["loss"]
    one = not classes or (classes == 2 and loss != "one_vs_all")
    read = points.read_columns(settings["features"])
    x = input_leaf("x", ("rows", read))
    if points.image is not None:
        x = FUNCTIONS["scale"](x, 1 / points.image.ink, name=PIXELS)
    hidden = own(x) if own is not None else _hidden(x, settings)
    outputs = 1 if one else classes
    scores = _dense(hidden, outputs, _next_index(hidden), settings, "scores")
    row_loss, output, kind = _head(loss, scores, classes, one)
    if own is not None and kind == "value":
        output = (scores - points.target_offset) * (1 / points.target_scale)
    columns, boxes = drawable(scores)
    if points.image is not None:
        boxes = tuple(box for box in boxes if box.column)  # the pixels' scale is no layer
    matrices = [node for node in Graph(scores).parameters if node.ndim == 2]
    objective = Objective(row_loss, penalty_of(settings, matrices))
    sizes = (read, *(column.units for column in columns))
    return Network(objective, columns, boxes, output, sizes, kind, own is not None)


def _hidden(x: Node, settings: Mapping[str, Any]) -> Node:
    """h1, h2, …, with dropout between where it is set and the solver takes mini-batches."""
    rate = 0.0 if settings["solver"] in FULL_BATCH_SOLVERS else settings["dropout"]
    sizes = zip(settings["hidden_layer_sizes"], settings["activations"], strict=True)
    for i, (units, activation) in enumerate(sizes, start=1):
        z = _dense(x, units, i, settings, f"z{i}")
        x = activation_function(activation)(z, name=f"h{i}")
        if rate:
            x = Dropout(rate)(x, i)
    return x


def _dense(x: Node, units: int, index: int, settings: Mapping[str, Any], name: str) -> Node:
    init = INITS.get(settings["init"], settings["init"])
    W = parameter(f"W{index}", (x.shape[1], units), init=init)
    b = parameter(f"b{index}", (units,), init=0.0)
    before = "x" if index == 1 else f"h{index - 1}"
    return FUNCTIONS["add"](FUNCTIONS["matmul"](x, W, name=f"{before}W{index}"), b, name=name)


def _next_index(hidden: Node) -> int:
    names = [str(node.name) for node in Graph(hidden).parameters]
    return 1 + sum(name[0] == "W" and name[1:].isdigit() for name in names)


def penalty_of(settings: Mapping[str, Any], matrices: Sequence[Node]) -> Node | None:
    """λ/2 Σ W², λ Σ |W|, or none."""
    if settings["regularization"] == "none":
        return None
    return FUNCTIONS[settings["regularization"]](*matrices, strength=settings["strength"])


def _check_loss(loss: str, points: Points) -> None:
    allowed = CLASSIFICATION_LOSSES if points.classes else REGRESSION_LOSSES
    if loss not in allowed:
        expected = f"one of {', '.join(allowed)} for these points"
        raise OptionError(describe("loss", expected, loss))


def _head(loss: str, scores: Node, classes: int, one: bool) -> tuple[Node, Node, str]:
    """The loss of a row, what is shown, and how it is read."""
    f = FUNCTIONS
    if not classes:
        t = target("t", ("rows",))
        return f[loss](scores, t, name="loss"), scores, "value"
    kind = "sign" if one else "classes"
    shape: tuple[Any, ...] = ("rows",) if one else ("rows", classes)
    if loss == "squared_error":
        output = f["tanh"](scores, name="output")
        return f[loss](output, target("t", shape), name="loss"), output, kind
    if loss == "cross_entropy" and not one:
        row_loss = f["softmax_cross_entropy"](scores, target("t", ("rows",), int), name="loss")
        return row_loss, f["softmax"](scores, name="output"), kind
    row_loss = f["binary_cross_entropy_with_logits"](scores, target("t", shape), name="loss")
    if one:  # 2 σ(s) − 1 = tanh(s / 2)
        return row_loss, f["tanh"](scores * 0.5, name="output"), kind
    return row_loss, f["sigmoid"](scores, name="output"), kind
