"""What the tests of training share: a small network, and the same network by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import chainrule as cr

FEATURES, HIDDEN, CLASSES = 5, 4, 3


@dataclass
class Problem:
    """A network with its data, and loss and gradient written out without the library."""

    objective: Any
    X: np.ndarray
    y: np.ndarray
    theta0: np.ndarray
    strength: float

    def by_hand(self, theta, X, y, weight=None, penalty_share=1.0):
        """Two layers, tanh, softmax: the lecture's forward and backward pass."""
        F, H, C = FEATURES, HIDDEN, CLASSES
        W1, b1 = theta[: F * H].reshape(F, H), theta[F * H : F * H + H]
        rest = theta[F * H + H :]
        W2, b2 = rest[: H * C].reshape(H, C), rest[H * C :]
        w = np.ones(len(X)) if weight is None else weight
        h = np.tanh(X @ W1 + b1)
        e = np.exp(h @ W2 + b2)
        p = e / e.sum(axis=1, keepdims=True)
        rows = np.arange(len(X))
        loss = (w * -np.log(p[rows, y])).sum() / w.sum()
        loss += penalty_share * self.strength / 2 * ((W1**2).sum() + (W2**2).sum())
        d = p.copy()
        d[rows, y] -= 1
        d *= (w / w.sum())[:, None]
        dW2, db2 = h.T @ d + penalty_share * self.strength * W2, d.sum(axis=0)
        dh = d @ W2.T * (1 - h**2)
        dW1, db1 = X.T @ dh + penalty_share * self.strength * W1, dh.sum(axis=0)
        return loss, np.concatenate((dW1.ravel(), db1, dW2.ravel(), db2))


def make_network(rate: float = 0.0, strength: float = 0.03, compiled: bool = True):
    """x → tanh(x W1 + b1) → scores, with dropout of ``rate`` in between."""
    x = cr.input("x", ("rows", FEATURES))
    t = cr.target("t", ("rows",), dtype=int)
    W1 = cr.parameter("W1", (FEATURES, HIDDEN), init=cr.normal(0.5))
    b1 = cr.parameter("b1", (HIDDEN,), init=0.1)
    W2 = cr.parameter("W2", (HIDDEN, CLASSES), init=cr.normal(0.5))
    b2 = cr.parameter("b2", (CLASSES,), init=-0.1)
    h = cr.tanh(x @ W1 + b1)
    if rate:
        h = cr.dropout(h, rate=rate)
    loss = cr.softmax_cross_entropy(h @ W2 + b2, t)
    return cr.Objective(loss, penalty=cr.l2(W1, W2, strength=strength), compiled=compiled)


@pytest.fixture
def problem() -> Problem:
    return make_problem()


def make_problem(rows: int = 53, **options) -> Problem:
    rng = np.random.default_rng(3)
    objective = make_network(**options)
    X = rng.normal(size=(rows, FEATURES))
    y = rng.integers(CLASSES, size=rows)
    return Problem(objective, X, y, objective.initial(1), options.get("strength", 0.03))


@pytest.fixture
def make():
    """The maker of problems, for those that need options."""
    return make_problem
