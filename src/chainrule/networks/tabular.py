"""Layers of networks for tables: factors in front, NTK products, learnt waves, learnt activations.

The ingredients of RealMLP (Holzmüller, Grinsztajn, Steinwart, "Better by default", NeurIPS 2024),
each as a layer of plain operations. From the plain to the particular.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from chainrule.errors import OptionError
from chainrule.graph import FUNCTIONS, Node
from chainrule.graph.functions import parameter, reshape
from chainrule.networks.initializers import normal, uniform
from chainrule.networks.layers import (
    Activation,
    Layer,
    activation_function,
    columns_of,
    require_count,
)
from chainrule.ops import ROWS

__all__ = ["FrontScale", "NTKDense", "ParametricActivation", "PeriodicEmbedding"]

STANDARD_NORMAL = normal(1.0)


@dataclass(frozen=True)
class FrontScale(Layer):
    """y = x · s, a learnt factor s_j for each column, 1 at the start: a soft choice of columns."""

    def __call__(self, x: Node, index: int = 1) -> Node:
        return x * parameter(f"front{index}", (columns_of("FrontScale", x),), init=1.0)


@dataclass(frozen=True)
class NTKDense(Layer):
    """y = x W / √columns + b: the size of y does not depend on how many columns x has.

    Parameters
    ----------
    units : int
        Columns of y.
    init, bias_init : number, array, str or initializer
        Where W (columns, units) and b (units,) start: N(0, 1), both.
    """

    units: int
    init: Any = STANDARD_NORMAL
    bias_init: Any = STANDARD_NORMAL

    def __post_init__(self) -> None:
        require_count("NTKDense: units", self.units)

    def __call__(self, x: Node, index: int = 1) -> Node:
        columns = columns_of("NTKDense", x)
        W = parameter(f"W{index}", (columns, self.units), init=self.init)
        b = parameter(f"b{index}", (self.units,), init=self.bias_init)
        # the factor goes to W, not to x W: once a batch, and product and bias stay neighbours
        return x @ FUNCTIONS["scale"](W, factor=1 / math.sqrt(columns)) + b


@dataclass(frozen=True)
class ParametricActivation(Layer):
    """y = x + a (f(x) − x), one learnt a_j for each unit, 1 at the start: from linear to f."""

    activation: Activation

    def __post_init__(self) -> None:
        activation_function(self.activation)

    def __call__(self, x: Node, index: int = 1) -> Node:
        a = parameter(f"a{index}", (columns_of("ParametricActivation", x),), init=1.0)
        return x + a * (activation_function(self.activation)(x) - x)


@dataclass(frozen=True)
class PeriodicEmbedding(Layer):
    """y_j = [x_j, V_jᵀ cos(2π w_j x_j + β_j) + c_j]: each column with learnt waves (PBLD).

    Parameters
    ----------
    size : int
        Columns of y for each column of x, the column itself included.
    frequencies : int
        Waves a column.
    sigma : float
        Standard deviation of w at the start. β starts in U(−π, π), V and c in U(−1/√f, 1/√f) with
        f frequencies.
    """

    size: int = 4
    frequencies: int = 16
    sigma: float = 0.1

    def __post_init__(self) -> None:
        require_count("PeriodicEmbedding: frequencies", self.frequencies)
        require_count("PeriodicEmbedding: size", self.size)
        if self.size < 2:
            raise OptionError(f"PeriodicEmbedding: size must be at least 2, got {self.size}")

    def __call__(self, x: Node, index: int = 1) -> Node:
        d, f, m = columns_of("PeriodicEmbedding", x), self.frequencies, self.size - 1
        limit = uniform(1 / math.sqrt(f))
        w = parameter(f"wave_w{index}", (d, f), init=normal(self.sigma))
        beta = parameter(f"wave_b{index}", (d, f), init=uniform(math.pi))
        V = parameter(f"wave_V{index}", (d, f, m), init=limit)
        c = parameter(f"wave_c{index}", (d, m), init=limit)
        column = reshape(x, (ROWS, d, 1))
        waves = FUNCTIONS["cos"](FUNCTIONS["scale"](column * w, factor=2 * math.pi) + beta)
        mixed = FUNCTIONS["sum"](reshape(waves, (ROWS, d, f, 1)) * V, axis=2) + c
        return reshape(FUNCTIONS["concatenate"]([column, mixed], axis=2), (ROWS, d * self.size))
