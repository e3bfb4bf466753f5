"""Operations that see one row as a whole: softmax, layer normalisation, dropout.

All of them act on the last dimension, never across rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.base import Operation, require_ndim
from chainrule.ops.options import Check, number
from chainrule.ops.shapes import ROWS, Shape, unbroadcast


def log_softmax(x):
    """x − log Σ_j eˣʲ over the last dimension, shifted by the largest so that nothing overflows.

    The largest adds exactly 1 to the sum and is left to log1p, so that a loss near 0 keeps its
    digits.
    """
    shifted = x - x.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    np.put_along_axis(e, shifted.argmax(axis=-1, keepdims=True), 0, axis=-1)
    return shifted - np.log1p(e.sum(axis=-1, keepdims=True))


def softmax(x):
    """eˣᵏ / Σ_j eˣʲ over the last dimension, shifted by the largest so that nothing overflows."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def require_columns(name: str, shape: Shape) -> None:
    """Refuse a shape whose last dimension is absent, empty or rows."""
    require_ndim(name, shape, 1)
    if shape[-1] == ROWS:
        raise ShapeError(f"{name} works along the last dimension, which must not be rows")
    if shape[-1] == 0:
        raise ShapeError(f"{name} needs at least one column, got none")


class _OverColumns(Operation):
    """An operation along the last dimension that keeps the shape."""

    def shape(self, x: Shape) -> Shape:
        require_columns(self.name, x)
        return x

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(), (rng.normal(size=(rows, max(columns, 1))),)


class Softmax(_OverColumns):
    """y_k = eˣᵏ / Σ_j eˣʲ along the last dimension; dx = y (dy − Σ_j dy_j y_j)."""

    name = "softmax"
    reads = frozenset({"y"})

    def forward(self, x):
        return softmax(x)

    def backward(self, dy, x, y):
        return (y * (dy - (dy * y).sum(axis=-1, keepdims=True)),)


class LogSoftmax(_OverColumns):
    """y_k = x_k − log Σ_j eˣʲ along the last dimension; dx = dy − eʸ Σ_j dy_j."""

    name = "log_softmax"
    reads = frozenset({"y"})

    def forward(self, x):
        return log_softmax(x)

    def backward(self, dy, x, y):
        return (dy - np.exp(y) * dy.sum(axis=-1, keepdims=True),)


@dataclass(frozen=True, eq=False, repr=False)
class LayerNorm(Operation):
    """y = gain · (x − μ) / √(σ² + ε) + bias, μ and σ² over the last dimension of one row.

    Ba, Kiros, Hinton (2016), equations 3 and 4. ``gain`` and ``bias`` have the row's width.
    """

    name = "layer_norm"
    reads = frozenset({"x", "gain"})
    allowed: ClassVar[dict[str, Check]] = {"epsilon": number(least=0)}
    epsilon: float = 1e-5

    def shape(self, x: Shape, gain: Shape, bias: Shape) -> Shape:
        require_columns(self.name, x)
        if gain != x[-1:] or bias != x[-1:]:
            raise ShapeError(f"gain and bias must both have shape ({x[-1]},)")
        return x

    def _normalize(self, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        inverse = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + self.epsilon)
        return centred * inverse, inverse

    def forward(self, x, gain, bias):
        return self._normalize(x)[0] * gain + bias

    def backward(self, dy, x, gain, bias, y):
        normal, inverse = self._normalize(x)
        dn = dy * gain
        across = dn.mean(axis=-1, keepdims=True)
        along = normal * (dn * normal).mean(axis=-1, keepdims=True)
        dgain = unbroadcast(dy * normal, gain.shape)
        return inverse * (dn - across - along), dgain, unbroadcast(dy, bias.shape)

    @classmethod
    def sample(cls, rng, rows, columns):
        columns = max(columns, 1)
        x = rng.normal(size=(rows, columns))
        return cls(0.1), (x, rng.normal(size=columns), rng.normal(size=columns))


@dataclass(frozen=True, eq=False, repr=False)
class Dropout(Operation):
    """y = x · mask, the mask given (Srivastava et al. 2014, inverted form).

    The mask holds 0 where a unit is dropped and 1/(1 − rate) where it is kept, so that the
    expectation of y is x. It is an operand, not a draw: the gradient can be checked. The operation
    is the product; ``rate`` is carried for those who print, export or draw masks.
    """

    name = "dropout"
    reads = frozenset({"mask"})
    allowed: ClassVar[dict[str, Check]] = {"rate": number(least=0, below=1)}
    rate: float = 0.5

    def shape(self, x: Shape, mask: Shape) -> Shape:
        if x != mask:
            raise ShapeError("the mask must have the shape of x")
        return x

    def forward(self, x, mask):
        return x * mask

    def backward(self, dy, x, mask, y):
        return dy * mask, None

    @classmethod
    def sample(cls, rng, rows, columns):
        mask = 2.0 * rng.integers(2, size=(rows, columns))
        return cls(), (rng.normal(size=(rows, columns)), mask)
