"""From settings to a network: the graph that is learnt, checked, drawn and stepped through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph import FUNCTIONS, Graph, Node, Trace
from chainrule.graph.functions import input as input_leaf
from chainrule.graph.functions import parameter, target
from chainrule.networks import activation_function, normal
from chainrule.server.points import Points
from chainrule.server.settings import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from chainrule.training import Objective

INITS: dict[str, Any] = {"small_normal": normal(0.001)}


@dataclass(frozen=True, eq=False)
class Network:
    """A layered network and its loss.

    Attributes
    ----------
    objective : Objective
    layers : tuple of Node
        The output of each hidden layer, (rows, units).
    output : Node
        What the page shows of the last layer, (rows, outputs): a value in [−1, 1] for two classes
        with one output, probabilities for more, the prediction itself for regression.
    sizes : tuple of int
        Columns read, units of each hidden layer, outputs.
    kind : {"sign", "classes", "value"}
        How ``output`` is read: the sign of one number, the largest of several, a number.
    """

    objective: Objective
    layers: tuple[Node, ...]
    output: Node
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    kind: str

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
        graph = Graph(*self.layers, self.output)
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


def build(settings: Mapping[str, Any], points: Points) -> Network:
    """The network of these settings for these points.

    x → z1 = x W1 + b1 → h1 = f(z1) → … → scores; the penalty reads the matrices, not the biases.
    """
    _check_loss(settings["loss"], points)
    classes, loss = len(points.classes), settings["loss"]
    one = not classes or (classes == 2 and loss != "one_vs_all")
    sizes = (
        len(settings["features"]),
        *settings["hidden_layer_sizes"],
        1 if one else classes,
    )
    node: Node = input_leaf("x", ("rows", sizes[0]))
    layers, matrices = [], []
    for i, (wide, units) in enumerate(pairwise(sizes), start=1):
        init = INITS.get(settings["init"], settings["init"])
        W = parameter(f"W{i}", (wide, units), init=init)
        b = parameter(f"b{i}", (units,), init=0.0)
        matrices.append(W)
        last = i == len(sizes) - 1
        product = FUNCTIONS["matmul"](node, W, name=f"xW{i}" if i == 1 else f"h{i - 1}W{i}")
        node = FUNCTIONS["add"](product, b, name="scores" if last else f"z{i}")
        if not last:
            node = _named(activation_function(settings["activations"][i - 1]), node, f"h{i}")
            layers.append(node)
    row_loss, output, kind = _head(loss, node, classes, one)
    objective = Objective(row_loss, penalty_of(settings, matrices))
    return Network(objective, tuple(layers), output, sizes, tuple(settings["activations"]), kind)


def penalty_of(settings: Mapping[str, Any], matrices: Sequence[Node]) -> Node | None:
    """λ/2 Σ W², λ Σ |W|, or none."""
    if settings["regularization"] == "none":
        return None
    return FUNCTIONS[settings["regularization"]](*matrices, strength=settings["strength"])


def _named(function: Any, node: Node, name: str) -> Node:
    return function(node, name=name)


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
