"""Where parameters start: numbers, arrays, and random draws scaled by the layer's size.

From a constant to the scaled draws that keep the variance of signals from layer to layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import OptionError, ShapeError
from chainrule.graph import Parameter

RandomState = None | int | np.random.Generator | np.random.RandomState
Rng = np.random.Generator | np.random.RandomState


@dataclass(frozen=True)
class Initializer:
    """Draws of one distribution, as a function of the random generator and the shape.

    Attributes
    ----------
    distribution : {"normal", "uniform"}
    gain : float
        Standard deviation (normal) or limit (uniform) before scaling.
    fan : {None, "in", "mean"}
        What the variance is divided by: nothing, the inputs of a unit, or the mean of inputs
        and outputs.
    """

    distribution: str
    gain: float
    fan: str | None = None

    def __call__(self, rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
        scale = self.gain / math.sqrt(self._fan(shape))
        if self.distribution == "normal":
            return scale * rng.standard_normal(shape)
        return rng.uniform(-scale, scale, shape)

    def _fan(self, shape: tuple[int, ...]) -> float:
        if self.fan is None or not shape:
            return 1.0
        fan_in, fan_out = shape[0], shape[-1]
        return max(1.0, fan_in if self.fan == "in" else (fan_in + fan_out) / 2)


def normal(std: float = 1.0) -> Initializer:
    """W ~ N(0, std²)."""
    return Initializer("normal", _positive("normal", "std", std))


def uniform(limit: float = 1.0) -> Initializer:
    """W ~ U(−limit, limit)."""
    return Initializer("uniform", _positive("uniform", "limit", limit))


def glorot_uniform() -> Initializer:
    """W ~ U(−a, a), a = √(6 / (inputs + outputs)) (Glorot, Bengio 2010, equation 16)."""
    return Initializer("uniform", math.sqrt(3), "mean")


def glorot_normal() -> Initializer:
    """W ~ N(0, 2 / (inputs + outputs)) (Glorot, Bengio 2010)."""
    return Initializer("normal", 1.0, "mean")


def he_uniform() -> Initializer:
    """W ~ U(−a, a), a = √(6 / inputs) (He et al. 2015)."""
    return Initializer("uniform", math.sqrt(6), "in")


def he_normal() -> Initializer:
    """W ~ N(0, 2 / inputs) (He et al. 2015, equation 10)."""
    return Initializer("normal", math.sqrt(2), "in")


NAMED = {
    "glorot_uniform": glorot_uniform(),
    "glorot_normal": glorot_normal(),
    "he_uniform": he_uniform(),
    "he_normal": he_normal(),
}


def initial_value(parameter: Parameter, rng: Rng) -> np.ndarray:
    """Where ``parameter`` starts, as its ``init`` says, in float64.

    Raises
    ------
    OptionError, ShapeError
        When ``init`` is not a number, an array of the parameter's shape, an initializer or
        the name of one.
    """
    init: Any = parameter.init
    shape = tuple(int(size) for size in parameter.shape)
    if init is None:
        init = "glorot_uniform" if len(shape) >= 2 else 0.0
    if isinstance(init, str):
        if init not in NAMED:
            raise OptionError(
                f"parameter {parameter.name!r}: init must be one of {', '.join(NAMED)}, "
                f"a number, an array or an initializer such as normal(0.01); got {init!r}"
            )
        init = NAMED[init]
    if isinstance(init, Initializer):
        return init(rng, shape)
    value = np.asarray(init)
    if value.dtype.kind not in "fiu":
        raise OptionError(
            f"parameter {parameter.name!r}: init must be numbers, got {type(init).__name__}"
        )
    if value.shape not in ((), shape):
        raise ShapeError(
            f"parameter {parameter.name!r}: init must have shape {shape}, got {value.shape}"
        )
    return np.broadcast_to(value.astype(np.float64), shape)


def make_rng(random_state: RandomState) -> Rng:
    """A generator from a seed, or the generator given."""
    if isinstance(random_state, (np.random.Generator, np.random.RandomState)):
        return random_state
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise OptionError(
            f"random_state must be None, an integer ≥ 0 or a numpy generator, got {random_state!r}"
        ) from None


def _positive(name: str, option: str, value: float) -> float:
    if not (np.isfinite(value) and value >= 0):
        raise OptionError(f"{name}: {option} must be a finite number ≥ 0, got {value}")
    return float(value)
