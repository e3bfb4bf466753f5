"""Penalties: one parameter in, one number out, added to the mean loss once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chainrule.ops.base import Operation, away_from
from chainrule.ops.options import Check, number
from chainrule.ops.shapes import Shape


@dataclass(frozen=True, eq=False, repr=False)
class L1(Operation):
    """y = strength · Σ |W|; the slope at 0 is taken as 0."""

    name = "l1"
    reads = frozenset({"W"})
    allowed: ClassVar[dict[str, Check]] = {"strength": number(least=0)}
    strength: float = 1.0

    def shape(self, W: Shape) -> Shape:
        return ()

    def forward(self, W):
        return np.asarray(self.strength * np.abs(W).sum(dtype=np.float64), dtype=W.dtype)

    def backward(self, dy, W, y):
        return (dy * self.strength * np.sign(W),)

    def pieces(self, W):
        return np.sign(W)

    @classmethod
    def sample(cls, rng, rows, columns):
        W = away_from(rng.normal(size=(rows, columns)), (0.0,))
        return cls(float(rng.uniform(0.1, 2))), (W,)


@dataclass(frozen=True, eq=False, repr=False)
class L2(Operation):
    """y = strength / 2 · Σ W²: the squared Euclidean norm, halved."""

    name = "l2"
    reads = frozenset({"W"})
    allowed: ClassVar[dict[str, Check]] = {"strength": number(least=0)}
    strength: float = 1.0

    def shape(self, W: Shape) -> Shape:
        return ()

    def forward(self, W):
        return np.asarray(self.strength / 2 * np.square(W).sum(dtype=np.float64), dtype=W.dtype)

    def backward(self, dy, W, y):
        return (dy * self.strength * W,)

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(float(rng.uniform(0.1, 2))), (rng.normal(size=(rows, columns)),)
