"""What is learned of targets in pieces: classes with their weights, range and moments of values.

Such sums of two pieces add up to those of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from chainrule.errors import DataError, LabelError, describe
from chainrule.estimators.targets import check_one_kind


@dataclass(frozen=True)
class Targets:
    """What is known of the targets of some rows.

    Attributes
    ----------
    outputs : int or None
        Columns; None: a plain list.
    counts : dict or None
        Of classes: weight and number of the rows of each. None: values.
    weight, low, high, mean, spread : floats and arrays of shape (outputs,)
        Of values: Σ w, range, weighted mean, Σ w (y − mean)².
    """

    outputs: int | None
    counts: dict[Any, tuple[float, int]] | None = None
    weight: float = 0.0
    low: np.ndarray = field(default_factory=lambda: np.empty(0))
    high: np.ndarray = field(default_factory=lambda: np.empty(0))
    mean: np.ndarray = field(default_factory=lambda: np.empty(0))
    spread: np.ndarray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, y: np.ndarray, weight: np.ndarray | None, classes: bool) -> Self:
        """Those of ``y``, which has rows."""
        outputs = None if y.ndim == 1 else int(y.shape[1])
        w = np.ones(len(y)) if weight is None else weight
        if classes and outputs is None:
            check_one_kind(y)
            labels, where, rows = np.unique(y, return_inverse=True, return_counts=True)
            weights = np.bincount(where, weights=w)
            told = zip(weights.tolist(), rows.tolist(), strict=True)
            return cls(None, dict(zip(labels.tolist(), told, strict=True)))
        if classes:
            _check_table_of_labels(y)
            return cls(outputs)
        if y.dtype.kind not in "fiub" or not np.all(np.isfinite(y)):
            raise DataError(describe("y", "finite numbers", _stranger(y)))
        values, total = y.reshape(len(y), -1).astype(np.float64), float(w.sum())
        mean = np.average(values, axis=0, weights=w) if total > 0 else values[0]
        spread = (w[:, None] * (values - mean) ** 2).sum(axis=0)
        return cls(outputs, None, total, values.min(axis=0), values.max(axis=0), mean, spread)

    def plus(self, other: Targets) -> Targets:
        """Those of both (Chan, Golub, LeVeque 1979)."""
        if self.outputs != other.outputs:
            came = f"{other.outputs or 'a plain list'}, after {self.outputs or 'a plain list'}"
            raise DataError(describe("y", "as many columns in all partitions", came))
        if self.counts is not None and other.counts is not None:
            labels = [*self.counts, *(one for one in other.counts if one not in self.counts)]
            check_one_kind(np.array(labels, dtype=object))
            none = (0.0, 0)
            pairs = {
                one: (self.counts.get(one, none), other.counts.get(one, none)) for one in labels
            }
            return Targets(None, {one: (a[0] + b[0], a[1] + b[1]) for one, (a, b) in pairs.items()})
        if not len(self.mean):
            return self
        total = self.weight + other.weight
        apart, share = other.mean - self.mean, other.weight / total if total > 0 else 0.0
        return Targets(
            self.outputs,
            None,
            total,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.mean + apart * share,
            self.spread + other.spread + apart**2 * self.weight * share,
        )

    def like(self) -> tuple[np.ndarray, np.ndarray | None]:
        """A few targets, and weights, from which the same is learned as from all of them.

        Every class twice; values of the same range, mean and standard deviation.
        """
        if self.counts is not None:
            return np.repeat(np.array(sorted(self.counts)), 2), None
        if not len(self.mean):
            return np.array([[0], [1]]) * np.ones(self.outputs or 1, np.int64), None
        deviation = np.sqrt(self.spread / self.weight) if self.weight > 0 else 0 * self.mean
        y = np.array([self.low, self.high, self.mean - deviation, self.mean + deviation])
        weight = np.array([0.0, 0.0, 0.5, 0.5])
        return (y[:, 0] if self.outputs is None else y), weight

    def class_weights(self, asked: Any) -> Any:
        """``class_weight`` for all classes: what "balanced" comes to, 1 for those not named."""
        if asked is None or self.counts is None or isinstance(asked, (list, tuple)):
            return asked
        if asked == "balanced":
            whole = sum(weight for weight, _ in self.counts.values())
            known = {one: weight for one, (weight, _) in self.counts.items() if weight > 0}
            return dict.fromkeys(self.counts, 1.0) | {
                one: whole / (len(self.counts) * weight) for one, weight in known.items()
            }
        return dict.fromkeys(self.counts, 1.0) | dict(asked)


def _check_table_of_labels(y: np.ndarray) -> None:
    if not np.all((y == 0) | (y == 1)):
        raise LabelError(describe("y", "one class a row, or a table of 0 and 1", "other numbers"))


def _stranger(y: np.ndarray) -> str:
    if y.dtype.kind not in "fiub":
        return f"an array of {y.dtype}"
    row = int(np.argmin(np.isfinite(y.reshape(len(y), -1)).all(axis=1)))
    return f"{y[row]} in row {row}"
