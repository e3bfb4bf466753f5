"""What is checked: a loss with its gradient at one point, whoever it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.check.numerical import Line
from chainrule.errors import NumericalError, OptionError, ShapeError, WrongTypeError


@dataclass(frozen=True)
class Problem:
    """J at θ for some data, in float64.

    Attributes
    ----------
    objective : callable
        ``(theta, X, y[, sample_weight]) -> (loss, gradient)``.
    theta : ndarray of shape (parameters,)
    slices, shapes : dict
        Where each named parameter lies in θ, and its shape.
    """

    objective: Callable[..., tuple[Any, Any]]
    theta: np.ndarray
    X: Any
    y: Any
    sample_weight: Any
    slices: Mapping[str, slice]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def rows(self) -> int:
        """The number of rows of the data."""
        return len(self.y)

    def loss_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """J(θ) and its gradient as the objective gives it."""
        weight = {} if self.sample_weight is None else {"sample_weight": self.sample_weight}
        loss, gradient = self.objective(theta, self.X, self.y, **weight)
        return float(loss), np.asarray(gradient, dtype=np.float64)

    def gradient(self) -> tuple[float, np.ndarray]:
        """Loss and gradient at θ; refused where they cannot be compared."""
        loss, gradient = self.loss_and_gradient(self.theta)
        if not np.isfinite(loss):
            raise NumericalError(f"the loss is {loss} at the parameters that are to be checked")
        if gradient.shape != self.theta.shape:
            raise ShapeError(
                f"the gradient must have theta's shape {self.theta.shape}, got {gradient.shape}"
            )
        return loss, gradient

    def line(self, direction: np.ndarray | int) -> Line:
        """t ↦ J(θ + t v); v an array, or the number of one entry."""
        return lambda t: self.loss_and_gradient(self.moved(direction, t))[0]

    def moved(self, direction: np.ndarray | int, t: float) -> np.ndarray:
        """θ + t v."""
        if isinstance(direction, np.ndarray):
            return self.theta + t * direction
        theta = self.theta.copy()
        theta[direction] += t
        return theta


def as_problem(
    subject: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    theta: Any,
    random_state: int,
    rng: np.random.Generator,
) -> Problem:
    """The problem that a model or an objective poses."""
    objective, start = subject, None
    if hasattr(subject, "as_objective"):
        objective, start, X, y = subject.as_objective(X, y)
    elif not callable(subject):
        raise WrongTypeError(
            "expected a model with as_objective(X, y), or an objective "
            f"(theta, X, y) -> (loss, gradient); came {type(subject).__name__}"
        )
    if theta is not None:
        point = _as_vector(theta)
    elif start is not None:
        point = off_zero(_as_vector(start), rng)
    elif hasattr(objective, "initial"):
        point = off_zero(_as_vector(objective.initial(random_state)), rng)
    else:
        raise OptionError("say where to check: this objective has no initial(), give theta")
    vector = getattr(objective, "vector", None)
    slices = vector.slices if vector is not None else {"theta": slice(0, point.size)}
    shapes = vector.shapes if vector is not None else {"theta": point.shape}
    if vector is not None:
        vector.check(point)
    return Problem(objective, point, X, y, sample_weight, slices, shapes)


def off_zero(theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``theta`` with entries that are exactly 0 drawn from N(0, 0.1²).

    At 0 the slope of a penalty vanishes, so that one forgotten would not show, and an activation
    that has seen only zeros stands on its corner.
    """
    return np.where(theta == 0, 0.1 * rng.normal(size=theta.shape), theta)


def _as_vector(theta: Any) -> np.ndarray:
    array = np.asarray(theta)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ShapeError(
            f"theta must be a vector of numbers, got shape {array.shape} of {array.dtype}"
        )
    return array.astype(np.float64)
