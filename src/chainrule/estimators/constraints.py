"""What every option of an estimator may be, and the error that says so.

A constraint is a predicate with words for its error message. An estimator lists one, or several
of which one must hold, for each of its parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from chainrule.errors import OptionError


@dataclass(frozen=True)
class Constraint:
    """``holds(value)``, and how to say what it wants."""

    words: str
    holds: Callable[[Any], bool]

    def __or__(self, other: Constraint) -> Constraint:
        return Constraint(
            f"{self.words} or {other.words}", lambda v: self.holds(v) or other.holds(v)
        )


def _interval(kind: type, name: str, bounds: str, low: float, high: float) -> Constraint:
    """A number between two bounds; ``bounds`` is "[]", "[)", "(]" or "()"."""
    left, right = bounds
    usual = (int,) if kind is Integral else (int, float)

    def holds(value: Any) -> bool:
        if type(value) not in usual and (  # abstract types are slow to ask
            not isinstance(value, kind) or isinstance(value, (bool, np.bool_))
        ):
            return False
        number = float(value)
        above = number >= low if left == "[" else number > low
        below = number <= high if right == "]" else number < high
        return above and below

    return Constraint(f"{name} in the range {left}{low}, {high}{right}", holds)


def real(bounds: str, low: float, high: float = math.inf) -> Constraint:
    """A real number in an interval."""
    return _interval(Real, "a float", bounds, float(low), float(high))


def integer(low: int, high: float = math.inf) -> Constraint:
    """An integer of at least ``low``."""
    return _interval(Integral, "an int", "[)", low, high)


def one_of(*allowed: str) -> Constraint:
    """One of a few words."""
    words = "a str among {" + ", ".join(repr(word) for word in allowed) + "}"
    return Constraint(words, lambda value: isinstance(value, str) and value in allowed)


def instance_of(words: str, *types: type) -> Constraint:
    """An instance of one of these types."""
    return Constraint(words, lambda value: isinstance(value, types))


def _is_seed(value: Any) -> bool:
    if isinstance(value, Integral) and not isinstance(value, bool):
        return 0 <= int(value) <= 2**32 - 1
    return value is None or isinstance(value, np.random.RandomState)


def _is_array_like(value: Any) -> bool:
    return not isinstance(value, str) and (hasattr(value, "__len__") or hasattr(value, "__array__"))


flag = instance_of("an instance of 'bool'", bool, np.bool_)
none = Constraint("None", lambda value: value is None)
infinity = Constraint("inf", lambda value: isinstance(value, Real) and float(value) == math.inf)
seed = Constraint(
    "an int in the range [0, 4294967295], an instance of 'numpy.random.RandomState' or None",
    _is_seed,
)
verbosity = integer(0) | flag
array_like = Constraint("an array-like", _is_array_like)
function = Constraint("a callable", callable)


def check_parameters(
    owner: str, values: Mapping[str, Any], constraints: Mapping[str, Constraint]
) -> None:
    """Refuse the first parameter outside its constraint.

    Raises
    ------
    OptionError
        Naming the parameter, what it must be, and what came.
    """
    for name, constraint in constraints.items():
        if not constraint.holds(values[name]):
            raise OptionError(
                f"The {name!r} parameter of {owner} must be {constraint.words}. "
                f"Got {values[name]!r} instead."
            )
