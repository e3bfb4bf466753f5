"""Layers: what builds the graph of a network, one after another.

A layer is a description (sizes and options); called on a node it makes its parameters and
returns its output node. From the plain to the particular: Dense, Dropout, LayerNorm, Embedding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import OptionError, ShapeError
from chainrule.graph import FUNCTIONS, Node
from chainrule.graph.functions import parameter
from chainrule.ops import REGISTRY, normalization
from chainrule.ops.base import Elementwise
from chainrule.ops.shapes import format_shape

Activation = str | Callable[[Node], Node]

ACTIVATIONS: tuple[str, ...] = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
)
"""The activations that a layer takes by name."""


def activation_function(activation: Activation) -> Callable[..., Node]:
    """The function of that name, or the function given.

    Raises
    ------
    OptionError
        When there is no such activation.
    """
    if callable(activation):
        return activation
    if activation not in ACTIVATIONS or not issubclass(REGISTRY[activation], Elementwise):
        raise OptionError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")
    return FUNCTIONS[activation]


class Layer(ABC):
    """A step of a network: ``layer(x, index)`` is its output node.

    ``index`` numbers the layers of a network from 1 and names their parameters: W1, b1, …
    """

    @abstractmethod
    def __call__(self, x: Node, index: int = 1) -> Node:
        """The output of this layer for the node ``x``."""


@dataclass(frozen=True)
class Dense(Layer):
    """y = f(x W + b): every unit reads every column.

    Parameters
    ----------
    units : int
        Columns of y.
    activation : str or callable
        f, by name or a function from node to node. Default: none.
    init, bias_init : number, array, str or initializer, optional
        Where W (columns, units) and b (units,) start: "glorot_uniform" and 0.
    bias : bool
        Whether there is a b.
    """

    units: int
    activation: Activation = "identity"
    init: Any = None
    bias_init: Any = 0.0
    bias: bool = True

    def __post_init__(self) -> None:
        require_count("Dense: units", self.units)
        activation_function(self.activation)

    def __call__(self, x: Node, index: int = 1) -> Node:
        W = parameter(f"W{index}", (columns_of("Dense", x), self.units), init=self.init)
        z = x @ W
        if self.bias:
            z = z + parameter(f"b{index}", (self.units,), init=self.bias_init)
        return z if self.activation == "identity" else activation_function(self.activation)(z)


@dataclass(frozen=True)
class Dropout(Layer):
    """y = x · mask: in training each unit is 0 with probability ``rate`` (inverted dropout)."""

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise OptionError(f"Dropout: rate must be in [0, 1), got {self.rate!r}")

    def __call__(self, x: Node, index: int = 1) -> Node:
        return FUNCTIONS["dropout"](x, rate=self.rate, stream=index)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """y = gain · (x − μ) / √(σ² + ε) + bias over the columns of each row."""

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        normalization.LayerNorm(self.epsilon)  # the operation checks its options

    def __call__(self, x: Node, index: int = 1) -> Node:
        width = columns_of("LayerNorm", x)
        gain = parameter(f"gain{index}", (width,), init=1.0)
        bias = parameter(f"shift{index}", (width,), init=0.0)
        return FUNCTIONS["layer_norm"](x, gain, bias, epsilon=self.epsilon)


@dataclass(frozen=True)
class Embedding(Layer):
    """y = table[x]: a learnt row of ``size`` numbers for each of ``categories`` integers."""

    categories: int
    size: int
    init: Any = None

    def __post_init__(self) -> None:
        require_count("Embedding: categories", self.categories)
        require_count("Embedding: size", self.size)

    def __call__(self, x: Node, index: int = 1) -> Node:
        table = parameter(f"E{index}", (self.categories, self.size), init=self.init)
        return FUNCTIONS["take"](table, x)


def require_count(option: str, value: Any) -> None:
    """An ``OptionError`` unless ``value`` is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise OptionError(f"{option} must be an integer ≥ 1, got {value!r}")


def sequential(layers: Sequence[Layer], x: Node) -> Node:
    """The output of ``layers`` one after another, the first on ``x``; parameters W1, b1, W2, …

    Each kind of layer is numbered on its own: the second Dense has W2, whatever stands between.
    """
    counts: Counter[type[Layer]] = Counter()
    for layer in layers:
        if not isinstance(layer, Layer):
            raise OptionError(f"expected layers such as Dense(20, 'relu'), got {layer!r}")
        counts[type(layer)] += 1
        x = layer(x, counts[type(layer)])
    return x


def columns_of(layer: str, x: Node) -> int:
    """How many columns ``x`` has, or a ``ShapeError`` if it is not a table (rows, columns)."""
    if x.ndim != 2 or not isinstance(x.shape[1], int):
        raise ShapeError(
            f"{layer} reads a table (rows, columns), got {x.label} {format_shape(x.shape)}; "
            "reshape it first"
        )
    return x.shape[1]
