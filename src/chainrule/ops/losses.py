"""Losses of one row: raw scores and a target in, one number a row out.

From the plain to the particular: squared, absolute, huber, quantile, poisson, then the two
cross-entropies. All take raw scores, never probabilities, so that nothing is clipped and both
value and gradient are exact far out. Outputs of one row are summed; rows are averaged once, by
the objective. A target of shape (rows,) is read as one column when the scores have one.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import LabelError, ShapeError
from chainrule.ops.activations import sigmoid, softplus
from chainrule.ops.base import Operation, away_from, require_ndim
from chainrule.ops.normalization import log_softmax, require_columns, softmax
from chainrule.ops.options import Check, number
from chainrule.ops.shapes import Shape, format_shape


class _OutputLoss(Operation):
    """loss_i = Σ over outputs of f(s, t), for an f given element by element."""

    integers = frozenset({"target"})

    def shape(self, scores: Shape, target: Shape) -> Shape:
        require_ndim(self.name, scores, 1)
        if target != scores and not (scores[1:] == (1,) and target == scores[:1]):
            raise ShapeError("the target must have the shape of the scores")
        return scores[:1]

    @abstractmethod
    def value(self, s: Any, t: Any) -> Any:
        """f(s, t), elementwise."""

    @abstractmethod
    def slope(self, s: Any, t: Any) -> Any:
        """∂f/∂s, elementwise."""

    def forward(self, scores, target):
        values = self.value(scores, _like(target, scores))
        return values.sum(axis=tuple(range(1, values.ndim)))

    def backward(self, dy, scores, target, y):
        per_row = dy.reshape(-1, *[1] * (scores.ndim - 1))
        return per_row * self.slope(scores, _like(target, scores)), None

    @classmethod
    def sample(cls, rng, rows, columns):
        s, t = rng.normal(size=(2, rows, columns))
        return cls(), (s, t)


def _like(target, scores):
    return np.asarray(target).reshape(scores.shape).astype(scores.dtype, copy=False)


class SquaredError(_OutputLoss):
    """loss_i = ½ Σ over outputs of (s − t)²."""

    name = "squared_error"
    reads = frozenset({"scores", "target"})

    def value(self, s, t):
        return 0.5 * (s - t) ** 2

    def slope(self, s, t):
        return s - t


class AbsoluteError(_OutputLoss):
    """loss_i = Σ over outputs of |s − t|; the slope at s = t is taken as 0."""

    name = "absolute_error"
    reads = frozenset({"scores", "target"})

    def value(self, s, t):
        return np.abs(s - t)

    def slope(self, s, t):
        return np.sign(s - t)

    def pieces(self, scores, target):
        return np.sign(scores - _like(target, scores))

    @classmethod
    def sample(cls, rng, rows, columns):
        op, (s, t) = super().sample(rng, rows, columns)
        return op, (t + away_from(s - t, (0.0,)), t)


@dataclass(frozen=True, eq=False, repr=False)
class Huber(_OutputLoss):
    """loss_i = Σ ½ r² where |r| ≤ δ, δ (|r| − ½ δ) beyond; r = s − t (Huber 1964)."""

    name = "huber"
    reads = frozenset({"scores", "target"})
    allowed: ClassVar[dict[str, Check]] = {"delta": number(above=0)}
    delta: float = 1.0

    def value(self, s, t):
        size = np.abs(s - t)
        near = np.minimum(size, self.delta)
        return near * (size - 0.5 * near)

    def slope(self, s, t):
        return np.clip(s - t, -self.delta, self.delta)

    def pieces(self, scores, target):
        return np.digitize(scores - _like(target, scores), [-self.delta, self.delta])

    @classmethod
    def sample(cls, rng, rows, columns):
        s, t = rng.normal(size=(2, rows, columns))
        delta = float(rng.uniform(0.3, 2))
        return cls(delta), (t + away_from(s - t, (-delta, delta)), t)


@dataclass(frozen=True, eq=False, repr=False)
class Quantile(_OutputLoss):
    """loss_i = Σ q (t − s) where t ≥ s, (1 − q) (s − t) beyond: the pinball loss.

    Its minimiser is the q-quantile of t (Koenker, Bassett 1978).
    """

    name = "quantile"
    reads = frozenset({"scores", "target"})
    allowed: ClassVar[dict[str, Check]] = {"q": number(above=0, below=1)}
    q: float = 0.5

    def value(self, s, t):
        return np.maximum(self.q * (t - s), (1 - self.q) * (s - t))

    def slope(self, s, t):
        return np.where(s > t, 1 - self.q, np.where(s < t, -self.q, 0)).astype(s.dtype)

    def pieces(self, scores, target):
        return np.sign(scores - _like(target, scores))

    @classmethod
    def sample(cls, rng, rows, columns):
        s, t = rng.normal(size=(2, rows, columns))
        return cls(float(rng.uniform(0.1, 0.9))), (t + away_from(s - t, (0.0,)), t)


class Poisson(_OutputLoss):
    """loss_i = Σ eˢ − t s, t ≥ 0: the negative log-likelihood of counts, less log t!.

    The predicted mean is eˢ. Far out the loss may be inf; the gradient is never NaN.
    """

    name = "poisson"
    reads = frozenset({"scores", "target"})

    def forward(self, scores, target):
        t = np.asarray(target)
        _refuse(self.name, t, t >= 0, "≥ 0")
        return super().forward(scores, target)

    def value(self, s, t):
        return np.exp(s) - t * s

    def slope(self, s, t):
        return np.exp(s) - t

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(), (rng.normal(size=(rows, columns)), 1.0 * rng.poisson(2, (rows, columns)))


class BinaryCrossEntropyWithLogits(_OutputLoss):
    """loss_i = Σ over outputs of softplus(s) − t s: −log of the probability sigmoid gives t.

    t in [0, 1]: 0 or 1, or a probability.
    """

    name = "binary_cross_entropy_with_logits"
    reads = frozenset({"scores", "target"})

    def forward(self, scores, target):
        _refuse_improbable(self.name, target)
        return super().forward(scores, target)

    def value(self, s, t):
        # softplus(s) − t s without the difference of two large numbers where t = 1
        return t * softplus(-s) + (1 - t) * softplus(s)

    def slope(self, s, t):
        return (1 - t) * sigmoid(s) - t * sigmoid(-s)

    @classmethod
    def sample(cls, rng, rows, columns):
        t = rng.uniform(size=(rows, columns))
        t = np.round(t) if rng.integers(2) else t
        return cls(), (rng.normal(size=(rows, columns)), t)


@dataclass(frozen=True, eq=False, repr=False)
class SoftmaxCrossEntropy(Operation):
    """loss_i = −Σ_k t_k log softmax(s)_k; ds = softmax(s) Σ_k t_k − t.

    The target is an integer label in [0, C) a row, or a row of C probabilities (one-hot or
    soft). ``label_smoothing`` ε mixes it with the uniform distribution: (1 − ε) t + ε/C
    (Szegedy et al. 2016, section 7).
    """

    name = "softmax_cross_entropy"
    reads: ClassVar[frozenset[str]] = frozenset({"scores", "target"})
    integers: ClassVar[frozenset[str]] = frozenset({"target"})
    allowed: ClassVar[dict[str, Check]] = {"label_smoothing": number(least=0, below=1)}
    label_smoothing: float = 0.0

    def shape(self, scores: Shape, target: Shape) -> Shape:
        require_columns(self.name, scores)
        if len(scores) != 2:
            raise ShapeError(f"scores must be (rows, C), got {format_shape(scores)}")
        if target not in (scores, scores[:1]):
            raise ShapeError("the target must be (rows,) labels or the shape of the scores")
        return scores[:1]

    def _probabilities(self, scores, target):
        """t of targets that are probabilities."""
        t = np.asarray(target).astype(scores.dtype, copy=False)
        if not self.label_smoothing:
            return t
        total = t.sum(axis=1, keepdims=True)
        return (1 - self.label_smoothing) * t + self.label_smoothing / scores.shape[1] * total

    def forward(self, scores, target):
        log_p = log_softmax(scores)
        if np.ndim(target) == 2:
            _refuse_improbable(self.name, target)
            return -(self._probabilities(scores, target) * log_p).sum(axis=1)
        # of a label, t is the same everywhere but in one entry of a row
        loss = -log_p[_entries(target, scores.shape[1])]
        if self.label_smoothing:
            loss *= 1 - self.label_smoothing
            loss -= self.label_smoothing / scores.shape[1] * log_p.sum(axis=1)
        return loss

    def backward(self, dy, scores, target, y):
        p = softmax(scores)
        if np.ndim(target) == 2:
            t = self._probabilities(scores, target)
            return dy[:, None] * (p * t.sum(axis=1, keepdims=True) - t), None
        if self.label_smoothing:
            p -= self.label_smoothing / scores.shape[1]
        p[_entries(target, scores.shape[1])] -= 1 - self.label_smoothing
        p *= dy[:, None]
        return p, None

    @classmethod
    def sample(cls, rng, rows, columns):
        columns = max(columns, 1)
        kinds = [rng.integers(columns, size=rows), rng.dirichlet(np.ones(columns), size=rows)]
        target = kinds[rng.integers(2)]
        return cls((0.0, 0.1)[rng.integers(2)]), (rng.normal(size=(rows, columns)), target)


def _refuse(name: str, target, right, wanted: str) -> None:
    if not np.all(right):
        first = tuple(np.argwhere(~right)[0])
        raise LabelError(f"{name} needs targets {wanted}, got {target[first]} in row {first[0]}")


def _refuse_improbable(name: str, target) -> None:
    t = np.asarray(target)
    _refuse(name, t, (t >= 0) & (t <= 1), "in [0, 1]")  # so written, a NaN is refused too


def _entries(labels, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the labels' entries lie in a matrix of scores: rows and columns."""
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise LabelError(
            f"labels must be integers, got {labels.dtype}; encode them as 0..{classes - 1} "
            "and declare the target with dtype=int"
        )
    wrong = (labels < 0) | (labels >= classes)
    if np.any(wrong):
        row = int(np.argmax(wrong))
        raise LabelError(f"labels must be in [0, {classes}), got {labels[row]} in row {row}")
    return np.arange(len(labels)), labels
