"""The network of an estimator: its graph, its objective, and where its parameters start.

x → hidden layers → scores → output; the loss reads the scores, people read the output. The graph
is plain data (``to_dict``), so a fitted estimator is stored without its source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from chainrule import engine
from chainrule.errors import GraphError, OptionError, ShapeError
from chainrule.graph import FUNCTIONS, LEAVES, Graph, Node, Parameter
from chainrule.graph.node import Apply
from chainrule.networks import Dense, Dropout, Layer, sequential, uniform
from chainrule.ops import ROWS, Operation
from chainrule.training import Objective

Loss = Callable[[Node, Node], Node]

OUTPUTS = {"identity": "identity", "logistic": "sigmoid", "softmax": "softmax", "exp": "exp"}
"""scikit-learn's names of output activations, and the operations that compute them."""

FEW_ROWS = 256
"""Up to so many rows one thread predicts."""


@dataclass(frozen=True)
class NamedLoss:
    """A loss of the library with its options; two that say the same are equal."""

    name: str
    options: tuple[tuple[str, float], ...] = ()

    def __call__(self, scores: Node, target: Node) -> Node:
        """The loss of each row."""
        return FUNCTIONS[self.name](scores, target, name="loss", **dict(self.options))


@dataclass(frozen=True)
class Hidden:
    """Hidden layers in the terms of an estimator's options.

    Attributes
    ----------
    sizes : tuple of int
        Units of each hidden layer.
    activations : tuple of str or callable
        One for each hidden layer.
    dropout : tuple of float
        One rate for each hidden layer.
    layers : sequence of Layer, or callable from node to node, or None
        A network of one's own in place of the three above.
    start : float
        Gain of the draws where there is no hidden layer; see ``glorot_gain``.
    """

    sizes: tuple[int, ...] = ()
    activations: tuple[Any, ...] = ()
    dropout: tuple[float, ...] = ()
    layers: Any = None
    start: float = 6.0

    @property
    def plain(self) -> bool:
        """Whether sizes, names and numbers say all: no function or layer of one's own."""
        return self.layers is None and all(isinstance(one, str) for one in self.activations)


@dataclass(frozen=True)
class Head:
    """What follows the hidden layers: outputs, what is read from them, what is minimised.

    Attributes
    ----------
    outputs : int
        Columns of the scores.
    activation : str
        A key of ``OUTPUTS``.
    loss : callable
        From the nodes (scores, target) to the loss of each row; a ``NamedLoss``, or one's own.
    target_shape : tuple
        Of the target leaf.
    target_dtype : type
        ``int`` for labels, else ``float``.
    start : {"glorot", "zeros"}
        Where the output layer starts.
    bias : bool
        Whether the output layer has intercepts.
    """

    outputs: int
    activation: str
    loss: Loss
    target_shape: tuple[Any, ...] = (ROWS,)
    target_dtype: type = float
    start: str = "glorot"
    bias: bool = True


@dataclass(frozen=True)
class Network:
    """A network that can be trained and read: nodes of one graph.

    Attributes
    ----------
    row_loss, scores, output : Node
    penalty : Node or None
    n_threads : int or None
        Of the compiled engine.
    """

    row_loss: Node
    scores: Node
    output: Node
    penalty: Node | None = None
    n_threads: int | None = None

    @cached_property
    def objective(self) -> Objective:
        """(θ, X, y) → (loss, gradient)."""
        return Objective(self.row_loss, self.penalty, n_threads=self.n_threads)

    @cached_property
    def graph(self) -> Graph:
        """From the input to the output, without the loss: what is drawn and printed."""
        return Graph(self.output)

    @cached_property
    def input_name(self) -> str:
        """The name of the leaf that the rows come in by."""
        return str(self.objective.rows.inputs[0].name)

    @property
    def columns(self) -> int:
        """Columns of the rows."""
        return int(self.objective.rows.inputs[0].shape[1])

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """Names of the layers' matrices, first layer first."""
        return _numbered("W", self.objective.vector.parameters)

    @cached_property
    def biases(self) -> tuple[str, ...]:
        """Names of the layers' intercepts, first layer first."""
        return _numbered("b", self.objective.vector.parameters)

    def penalised(self, l2: float, l1: float = 0.0) -> Network:
        """The same network with λ₂/2 Σ‖W‖² + λ₁ Σ|W| over its matrices as penalty."""
        matrices = [p for p in Graph(self.row_loss).parameters if len(p.shape) >= 2]
        terms = [
            FUNCTIONS[name](*matrices, strength=strength)
            for name, strength in (("l2", l2), ("l1", l1))
            if strength > 0 and matrices
        ]
        penalty = None if not terms else terms[0] if len(terms) == 1 else terms[0] + terms[1]
        return replace(self, penalty=penalty)

    def forward(
        self,
        theta: np.ndarray,
        X: Any,
        n_threads: int | None = None,
        *,
        check_finite: bool = False,
    ) -> np.ndarray:
        """The scores of every row, in θ's precision; with ``check_finite`` see ``Backend``.

        X is an array, or a mapping of input names to arrays.
        """
        backend = self.objective.backend(theta.dtype)
        inputs = X if isinstance(X, Mapping) else {self.input_name: X}
        if next(iter(inputs.values())).shape[0] <= FEW_ROWS:
            n_threads = 1  # others would not have begun before it is done
        return backend.forward(theta, inputs, self.scores, n_threads, check_finite)

    def activate(self, scores: np.ndarray) -> np.ndarray:
        """The output from the scores."""
        if self._activation is None:
            return scores
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(self._activation.forward(scores))

    @cached_property
    def _activation(self) -> Operation | None:
        output = self.output
        return output.op if isinstance(output, Apply) and output is not self.scores else None

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain data; the penalty is not part of it."""
        return Graph(self.row_loss, self.scores, self.output).to_dict()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Network:
        """The network that ``to_dict`` gave; anything else is refused with a ``GraphError``."""
        outputs = Graph.from_dict(dict(data)).outputs
        if len(outputs) != 3:
            raise GraphError(f"a stored network has 3 outputs, got {len(outputs)}")
        row_loss, scores, output = outputs
        if output is not scores and not (isinstance(output, Apply) and output.inputs == (scores,)):
            raise GraphError("a stored network's output must be computed from its scores")
        return cls(row_loss, scores, output)


def make_network(
    columns: int,
    hidden: Hidden,
    head: Head,
    n_threads: int | None = None,
    *,
    l2: float = 0.0,
    l1: float = 0.0,
) -> Network:
    """``build_network`` with a penalty; the one of an earlier fit where plain options say all.

    Estimators may share a network: it holds no parameters and no rows.
    """
    if hidden.plain and isinstance(head.loss, NamedLoss):
        return _network_of_options(columns, hidden, head, n_threads, l2, l1, engine.available())
    return build_network(columns, hidden, head, n_threads).penalised(l2, l1)


@lru_cache(maxsize=16)
def _network_of_options(
    columns: int,
    hidden: Hidden,
    head: Head,
    n_threads: int | None,
    l2: float,
    l1: float,
    compiled: bool,  # what runs a network stays with it
) -> Network:
    return build_network(columns, hidden, head, n_threads).penalised(l2, l1)


def build_network(
    columns: int, hidden: Hidden, head: Head, n_threads: int | None = None
) -> Network:
    """The graph of ``hidden`` and ``head`` over rows of ``columns`` numbers."""
    x = LEAVES["input"]("x", (ROWS, columns))
    h, gain = _hidden_stack(x, hidden)
    scores = _output_layer(h, head, gain)
    target = LEAVES["target"]("y", head.target_shape, dtype=head.target_dtype)
    row_loss = head.loss(scores, target)
    output = _output(scores, head.activation)
    return Network(row_loss, scores, output, n_threads=n_threads)


def _hidden_stack(x: Node, hidden: Hidden) -> tuple[Node, float]:
    """The last hidden node, and the gain of the draws for the layer after it."""
    if callable(hidden.layers):
        h = hidden.layers(x)
        if not isinstance(h, Node) or h.ndim != 2:
            raise ShapeError(
                "layers must be a function from a node to a node of shape (rows, columns), "
                f"got {h!r}"
            )
        return h, 6.0
    if hidden.layers is not None:
        return sequential(_layer_list(hidden.layers), x), 6.0
    gain = hidden.start
    for i, size in enumerate(hidden.sizes):
        activation = hidden.activations[i]
        gain = glorot_gain(activation)
        x = _glorot_dense(x, size, gain, i + 1, activation)
        if hidden.dropout[i] > 0:
            x = Dropout(hidden.dropout[i])(x, i + 1)
    return x, gain


def _layer_list(layers: Any) -> Sequence[Layer]:
    if not isinstance(layers, Sequence) or isinstance(layers, str):
        raise OptionError(
            "layers must be a list such as [Dense(20, 'relu'), Dropout(0.1)] or a function "
            f"from node to node, got {layers!r}"
        )
    return layers


def glorot_gain(activation: Any) -> float:
    """g of the limit √(g / (inputs + outputs)) of a layer's draws: scikit-learn's 6, 2 for sigmoid.

    Glorot, Bengio (2010) have 6.
    """
    return 2.0 if activation in ("logistic", "sigmoid") else 6.0


def _glorot_dense(x: Node, units: int, gain: float, index: int, activation: Any) -> Node:
    limit = float(np.sqrt(gain / (int(x.shape[1]) + units)))
    operation = "sigmoid" if activation == "logistic" else activation
    layer = Dense(units, operation, init=uniform(limit), bias_init=uniform(limit))
    return _named(layer(x, index), f"h{index}")


def _output_layer(h: Node, head: Head, gain: float) -> Node:
    taken = [p.name for p in Graph(h).parameters]
    index = 1 + sum(1 for name in taken if re.fullmatch(r"W\d+", str(name)))
    if head.start == "zeros":
        layer = Dense(head.outputs, init=0.0, bias_init=0.0, bias=head.bias)
        return _named(layer(h, index), "scores")
    limit = float(np.sqrt(gain / (int(h.shape[1]) + head.outputs)))
    start = uniform(limit)
    layer = Dense(head.outputs, init=start, bias_init=start, bias=head.bias)
    return _named(layer(h, index), "scores")


def _output(scores: Node, activation: str) -> Node:
    operation = OUTPUTS[activation]
    return scores if operation == "identity" else FUNCTIONS[operation](scores, name="output")


def _named(node: Any, name: str) -> Node:
    return node.named(name) if hasattr(node, "named") else node


def _numbered(letter: str, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    names = [str(p.name) for p in parameters if re.fullmatch(letter + r"\d+", str(p.name))]
    return tuple(sorted(names, key=lambda name: int(name[1:])))
