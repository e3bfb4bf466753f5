"""Activation functions, from the lecture's three to today's.

Each is exact in the limit for inputs of ±10⁴ in both precisions: no overflow, no NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from chainrule.ops.base import Elementwise, away_from


def sigmoid(x):
    """1 / (1 + e⁻ˣ) without overflow, exact to the last digits also where it is nearly 0."""
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, decay) / (1 + decay)


def softplus(x):
    """log(1 + eˣ) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


_erf_of_floats = np.frompyfunc(math.erf, 1, 1)


def erf(x):
    """The error function, in x's precision. NumPy has none; scipy.special would slow the import."""
    return np.asarray(_erf_of_floats(x), dtype=x.dtype)


class Identity(Elementwise):
    """y = x."""

    name = "identity"
    reads = frozenset()

    def forward(self, x):
        return x

    def backward(self, dy, x, y):
        return (dy,)


class Sigmoid(Elementwise):
    """y = 1 / (1 + e⁻ˣ), the logistic function; dy/dx = y (1 − y)."""

    name = "sigmoid"
    reads = frozenset({"y"})

    def forward(self, x):
        return sigmoid(x)

    def backward(self, dy, x, y):
        return (dy * y * (1 - y),)


class Tanh(Elementwise):
    """y = tanh x; dy/dx = 1 − y²."""

    name = "tanh"
    reads = frozenset({"y"})

    def forward(self, x):
        return np.tanh(x)

    def backward(self, dy, x, y):
        return (dy * (1 - y * y),)


class Relu(Elementwise):
    """y = max(0, x); the derivative at 0 is taken as 0."""

    name = "relu"
    reads = frozenset({"y"})
    kinks = (0.0,)

    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, dy, x, y):
        return (dy * (y > 0),)


@dataclass(frozen=True, eq=False, repr=False)
class LeakyRelu(Elementwise):
    """y = x for x > 0, slope · x otherwise (Maas, Hannun, Ng 2013)."""

    name = "leaky_relu"
    reads = frozenset({"x"})
    kinks = (0.0,)
    slope: float = 0.01

    def forward(self, x):
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy, x, y):
        return (np.where(x > 0, dy, self.slope * dy),)


@dataclass(frozen=True, eq=False, repr=False)
class Elu(Elementwise):
    """y = x for x > 0, α (eˣ − 1) otherwise (Clevert, Unterthiner, Hochreiter 2016)."""

    name = "elu"
    reads = frozenset({"x", "y"})
    alpha: float = 1.0

    def forward(self, x):
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def backward(self, dy, x, y):
        return (np.where(x > 0, dy, dy * (y + self.alpha)),)

    def pieces(self, x):
        return x > 0  # with α = 1 the slope is continuous there, its own slope is not

    @classmethod
    def sample(cls, rng, rows, columns):
        x = away_from(rng.uniform(-3, 3, size=(rows, columns)), (0.0,))
        return cls(float(rng.uniform(0.5, 2))), (x,)


class Selu(Elementwise):
    """y = λ x for x > 0, λ α (eˣ − 1) otherwise; λ, α of Klambauer et al. (2017)."""

    name = "selu"
    reads = frozenset({"x", "y"})
    kinks = (0.0,)
    ALPHA = 1.6732632423543772
    SCALE = 1.0507009873554805

    def forward(self, x):
        return self.SCALE * np.where(x > 0, x, self.ALPHA * np.expm1(np.minimum(x, 0)))

    def backward(self, dy, x, y):
        return (dy * np.where(x > 0, self.SCALE, y + self.SCALE * self.ALPHA),)


@dataclass(frozen=True, eq=False, repr=False)
class Gelu(Elementwise):
    """y = x Φ(x), Φ the normal distribution; ``approximate``: its tanh form.

    The tanh form is ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks, Gimpel 2016).
    """

    name = "gelu"
    reads = frozenset({"x"})
    approximate: bool = False

    def forward(self, x):
        if self.approximate:
            return 0.5 * x * (1 + np.tanh(self._argument(x)))
        return 0.5 * x * (1 + erf(x * np.sqrt(0.5).item()))

    def backward(self, dy, x, y):
        return (dy * (self._tanh_slope(x) if self.approximate else self._exact_slope(x)),)

    @staticmethod
    def _argument(x):
        return np.sqrt(2 / np.pi).item() * (x + 0.044715 * x**3)

    def _tanh_slope(self, x):
        near = np.clip(x, -30, 30)  # beyond, tanh is ±1 and its slope 0
        tanh = np.tanh(self._argument(near))
        inner = np.sqrt(2 / np.pi).item() * (1 + 3 * 0.044715 * near * near)
        return 0.5 * (1 + tanh) + 0.5 * near * (1 - tanh * tanh) * inner

    @staticmethod
    def _exact_slope(x):
        density = np.exp(-0.5 * x * x) * (1 / np.sqrt(2 * np.pi).item())
        return 0.5 * (1 + erf(x * np.sqrt(0.5).item())) + x * density

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(bool(rng.integers(2))), (rng.uniform(-3, 3, size=(rows, columns)),)


class Silu(Elementwise):
    """y = x · sigmoid(x), also called swish (Elfwing, Uchibe, Doya 2018)."""

    name = "silu"
    reads = frozenset({"x"})

    def forward(self, x):
        return x * sigmoid(x)

    def backward(self, dy, x, y):
        gate = sigmoid(x)
        return (dy * (gate + x * gate * sigmoid(-x)),)


class Softplus(Elementwise):
    """y = log(1 + eˣ), computed as max(x, 0) + log1p(e^−|x|); dy/dx = sigmoid(x)."""

    name = "softplus"
    reads = frozenset({"x"})

    def forward(self, x):
        return softplus(x)

    def backward(self, dy, x, y):
        return (dy * sigmoid(x),)


class Mish(Elementwise):
    """y = x · tanh(softplus(x)) (Misra 2019)."""

    name = "mish"
    reads = frozenset({"x"})

    def forward(self, x):
        return x * np.tanh(softplus(x))

    def backward(self, dy, x, y):
        tanh = np.tanh(softplus(x))
        return (dy * (tanh + x * (1 - tanh * tanh) * sigmoid(x)),)
