"""Arithmetic, one element at a time: from sums to powers and elementary functions.

Binary operations broadcast as NumPy does, and their gradients are summed back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.ops.base import Binary, Elementwise, away_from


class Add(Binary):
    """y = a + b."""

    name = "add"
    reads = frozenset()

    def forward(self, a, b):
        return a + b

    def partials(self, dy, a, b, y):
        return dy, dy


class Subtract(Binary):
    """y = a − b."""

    name = "subtract"
    reads = frozenset()

    def forward(self, a, b):
        return a - b

    def partials(self, dy, a, b, y):
        return dy, -dy


class Multiply(Binary):
    """y = a · b, elementwise."""

    name = "multiply"
    reads = frozenset({"a", "b"})

    def forward(self, a, b):
        return a * b

    def partials(self, dy, a, b, y):
        return dy * b, dy * a


class Divide(Binary):
    """y = a / b, elementwise."""

    name = "divide"
    reads = frozenset({"b", "y"})

    def forward(self, a, b):
        return a / b

    def partials(self, dy, a, b, y):
        return dy / b, -dy * y / b

    @classmethod
    def sample(cls, rng, rows, columns):
        op, (a, b) = super().sample(rng, rows, columns)
        return op, (a, away_from(b, (0.0,), margin=0.5))


class Maximum(Binary):
    """y = max(a, b), elementwise; where they are equal each gets half of the gradient."""

    name = "maximum"
    reads = frozenset({"a", "b"})

    def forward(self, a, b):
        return np.maximum(a, b)

    def partials(self, dy, a, b, y):
        share = (np.sign(a - b) + 1) / 2
        return dy * share, dy * (1 - share)

    def pieces(self, a, b):
        return np.sign(a - b)

    @classmethod
    def sample(cls, rng, rows, columns):
        op, (a, b) = super().sample(rng, rows, columns)
        grid = 0.1 * np.round(np.asarray(a) / 0.1)  # a on the grid, b between: never equal
        return op, (grid, 0.1 * np.floor(np.asarray(b) / 0.1) + 0.05)


class Negate(Elementwise):
    """y = −x."""

    name = "negate"
    reads = frozenset()

    def forward(self, x):
        return -x

    def backward(self, dy, x, y):
        return (-dy,)


@dataclass(frozen=True, eq=False, repr=False)
class Scale(Elementwise):
    """y = factor · x, with a constant factor (256 grey levels to [0, 1]: ``scale(x, 1/255)``)."""

    name = "scale"
    reads = frozenset()
    factor: float = 1.0

    def forward(self, x):
        return x * self.factor

    def backward(self, dy, x, y):
        return (dy * self.factor,)

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(float(rng.normal())), (rng.normal(size=(rows, columns)),)


@dataclass(frozen=True, eq=False, repr=False)
class Power(Elementwise):
    """y = x^exponent, with a constant exponent; a negative base needs an integer one."""

    name = "power"
    reads = frozenset({"x"})
    exponent: float = 2.0

    def forward(self, x):
        return x**self.exponent

    def backward(self, dy, x, y):
        if self.exponent == 0:
            return (np.zeros_like(dy),)
        return (dy * self.exponent * x ** (self.exponent - 1),)

    @classmethod
    def sample(cls, rng, rows, columns):
        exponent = (0, 1, 2, 3, -1, 0.5, -1.5)[rng.integers(7)]
        return cls(exponent), (rng.uniform(0.3, 3.0, size=(rows, columns)),)


class Exp(Elementwise):
    """y = eˣ."""

    name = "exp"
    reads = frozenset({"y"})

    def forward(self, x):
        return np.exp(x)

    def backward(self, dy, x, y):
        return (dy * y,)


class Log(Elementwise):
    """y = log x, natural; x > 0."""

    name = "log"
    reads = frozenset({"x"})
    domain = (0.2, 4.0)

    def forward(self, x):
        return np.log(x)

    def backward(self, dy, x, y):
        return (dy / x,)


class Sqrt(Elementwise):
    """y = √x; x > 0."""

    name = "sqrt"
    reads = frozenset({"y"})
    domain = (0.2, 4.0)

    def forward(self, x):
        return np.sqrt(x)

    def backward(self, dy, x, y):
        return (dy / (2 * y),)


class Square(Elementwise):
    """y = x²."""

    name = "square"
    reads = frozenset({"x"})

    def forward(self, x):
        return x * x

    def backward(self, dy, x, y):
        return (2 * dy * x,)


class Absolute(Elementwise):
    """y = |x|; the derivative at 0 is taken as 0."""

    name = "absolute"
    reads = frozenset({"x"})
    kinks = (0.0,)

    def forward(self, x):
        return np.abs(x)

    def backward(self, dy, x, y):
        return (dy * np.sign(x),)


class Sin(Elementwise):
    """y = sin x, x in radians."""

    name = "sin"
    reads = frozenset({"x"})

    def forward(self, x):
        return np.sin(x)

    def backward(self, dy, x, y):
        return (dy * np.cos(x),)


class Cos(Elementwise):
    """y = cos x, x in radians."""

    name = "cos"
    reads = frozenset({"x"})

    def forward(self, x):
        return np.cos(x)

    def backward(self, dy, x, y):
        return (-dy * np.sin(x),)
