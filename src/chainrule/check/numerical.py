"""Derivatives by differences: the lecture's, and the careful ones that the gradient check uses.

From the plain to the careful: one step forward; a step to either side; two such combined so that
their errors cancel; and how large the rounding noise of the function itself is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import NumericalError, OptionError, WrongTypeError

SCHEMES = ("forward", "central")


def numerical_gradient(
    f: Callable[[np.ndarray], Any], x: np.ndarray, h: float = 1e-4, scheme: str = "forward"
) -> np.ndarray:
    """∂f/∂x_i ≈ (f(x + h e_i) − f(x)) / h, one entry after another.

    Parameters
    ----------
    f : callable
        From an array like ``x`` to a number.
    x : ndarray of floats, of any shape
        Changed in place during the call, so ``f`` may be bound to it; each entry is restored
        afterwards, also when ``f`` raises.
    h : float
        The step.
    scheme : {"forward", "central"}
        "central" takes (f(x + h e_i) − f(x − h e_i)) / 2h, whose error is of order h².

    Returns
    -------
    gradient : ndarray of float64, of x's shape

    Examples
    --------
    >>> import numpy as np
    >>> numerical_gradient(lambda w: (w**2).sum(), np.array([1.0, 3.0]), scheme="central").round(6)
    array([2., 6.])
    """
    _check_array(x)
    if scheme not in SCHEMES:
        raise OptionError(f"scheme must be one of {', '.join(SCHEMES)}, got {scheme!r}")
    if not (h > 0 and math.isfinite(h)):
        raise OptionError(f"h must be a finite number > 0, got {h}")
    gradient = np.zeros(x.shape)
    here = _number(f(x)) if scheme == "forward" else 0.0
    for index in np.ndindex(x.shape):
        old = x[index]
        try:
            x[index] = old + h
            if x[index] == old:
                raise OptionError(f"h = {h} is lost in x{list(index)} = {old} ({x.dtype})")
            ahead = _number(f(x))
            if scheme == "forward":
                gradient[index] = (ahead - here) / h
            else:
                x[index] = old - h
                gradient[index] = (ahead - _number(f(x))) / (2 * h)
        finally:
            x[index] = old
    return gradient


def _check_array(x: Any) -> None:
    if not isinstance(x, np.ndarray):
        raise WrongTypeError(f"x must be a NumPy array, it is changed in place; got {type(x)}")
    if x.dtype.kind != "f":
        raise WrongTypeError(
            f"x must hold floats, got {x.dtype}: x + h would be cut off; use x.astype(float)"
        )
    if not x.flags.writeable:
        raise WrongTypeError("x must be writable, it is changed in place; use x.copy()")


def _number(value: Any) -> float:
    array = np.asarray(value) if not isinstance(value, tuple) else None
    if array is None or array.size != 1 or array.dtype.kind not in "fiu":
        raise WrongTypeError(
            f"f must return one number, got {type(value).__name__}; of a pair "
            "(loss, gradient) pass on the loss: lambda x: f(x)[0]"
        )
    return float(array.item())


# the careful ones ------------------------------------------------------------------------

CUBE_ROOT = float(np.cbrt(np.finfo(np.float64).eps))
Line = Callable[[float], float]
"""The loss along a line through θ: t ↦ J(θ + t v)."""


def step_size(size: float) -> float:
    """h = ε^⅓ max(1, |θ|): where truncation (∝ h²) and rounding (∝ ε/h) of a central difference
    balance (Nocedal, Wright 2006, section 8.1, equation 8.7 and below).

    Rounded to a power of two, so that θ + h and θ − h are off by the same, nearly always exactly.
    """
    return 2.0 ** round(math.log2(CUBE_ROOT * max(1.0, size)))


def central(line: Line, h: float) -> float:
    """(J(h) − J(−h)) / 2h, error h²/6 J'''."""
    return (line(h) - line(-h)) / (2 * h)


def extrapolated(line: Line, h: float) -> tuple[float, float]:
    """Richardson: (4 D(h/2) − D(h)) / 3, error of order h⁴; and how far D(h/2) was from it."""
    coarse, fine = central(line, h), central(line, h / 2)
    value = (4 * fine - coarse) / 3
    return value, abs(value - fine)


def rounding_noise(line: Line, delta: float = 2.0**-33) -> float:
    """The standard deviation of J's rounding errors, from a table of differences along a line.

    High differences of close points cancel everything smooth and leave the noise: the k-th has
    variance (2k)!/(k!)² σ² (Hamming 1971; Moré, Wild 2011, "Estimating computational noise",
    section 3). At least the rounding of J itself.
    """
    values = np.array([line(k * delta) for k in range(9)])
    if not np.all(np.isfinite(values)):
        raise NumericalError("the loss is not finite near the parameters that are checked")
    estimates = []
    differences = np.diff(values, n=2)
    for k in range(3, 7):
        differences = np.diff(differences)
        estimates.append(math.sqrt(np.mean(differences**2) / math.comb(2 * k, k)))
    own = float(np.finfo(np.float64).eps) * float(np.abs(values).max())
    return max(float(np.median(estimates)), own)
