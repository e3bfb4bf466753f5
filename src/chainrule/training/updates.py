"""Update rules: how a gradient moves the parameters, from plain descent to AdamW.

A rule is a small frozen description; what it remembers between steps (``slots``, vectors of θ's
length) is kept beside it as plain arrays, so that training can be stored and continued. ``step``
is the definition; the compiled engine has the same rules under the same names.

η is the rate of this step: ``learning_rate`` · schedule · the parameter's rate factor. It is a
number, or a vector as long as θ where parameters have rates of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import OptionError
from chainrule.ops.options import Check, number

Rate = Any  # a float, or an array of θ's length and precision
UPDATES: dict[str, type[Update]] = {}
"""Every update rule by name."""


@dataclass(frozen=True)
class Update(ABC):
    """A rule θ ← θ + Δ(gradient, memory).

    Attributes
    ----------
    kind : str
        Its name, here and in the engine.
    slots : tuple of str
        What it remembers: one vector as long as θ for each.
    """

    kind: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ()
    allowed: ClassVar[dict[str, Check]] = {}
    learning_rate: float

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        UPDATES[cls.kind] = cls

    def __post_init__(self) -> None:
        for field in fields(self):
            check = self.allowed.get(field.name, number(least=0))
            value = float(check(f"{self.kind}: {field.name}", getattr(self, field.name)))
            object.__setattr__(self, field.name, value)

    @property
    def options(self) -> dict[str, float]:
        """The options by name, the learning rate not among them."""
        names = (field.name for field in fields(self))
        return {name: getattr(self, name) for name in names if name != "learning_rate"}

    @abstractmethod
    def step(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        slots: Sequence[np.ndarray],
        t: int,
        rate: Rate,
        decay: Rate = 0.0,
    ) -> None:
        """Move ``theta`` in place; the memory in ``slots`` is brought forward in place too.

        Parameters
        ----------
        theta, gradient : ndarray of shape (parameters,)
        slots : sequence of ndarray
            As many as the class names, zeros before the first step.
        t : int
            Number of this step, from 1.
        rate : float or ndarray
            η.
        decay : float or ndarray
            Decoupled decay of each parameter; read by rules that have it.
        """


@dataclass(frozen=True)
class SGD(Update):
    """θ ← θ − η g.

    Gradient descent on a batch (Robbins, Monro 1951).
    """

    kind = "sgd"
    learning_rate: float = 0.1

    def step(self, theta, gradient, slots, t, rate, decay=0.0):
        theta -= rate * gradient


_BELOW_ONE = number(least=0, below=1)


@dataclass(frozen=True)
class Momentum(Update):
    """v ← μ v − η g;  θ ← θ + v.

    Polyak (1964), with the rate inside the velocity as in Sutskever et al. (2013), equations 1–2,
    and scikit-learn.
    """

    kind = "momentum"
    slots = ("velocity",)
    allowed: ClassVar[dict[str, Check]] = {"momentum": number(least=0)}
    learning_rate: float = 0.1
    momentum: float = 0.9

    def step(self, theta, gradient, slots, t, rate, decay=0.0):
        (v,) = slots
        v *= self.momentum
        v -= rate * gradient
        theta += v


@dataclass(frozen=True)
class Nesterov(Update):
    """v ← μ v − η g;  θ ← θ + μ v − η g.

    Nesterov (1983) in the form of Sutskever et al. (2013), written in the point looked ahead to,
    as scikit-learn has it.
    """

    kind = "nesterov"
    slots = ("velocity",)
    learning_rate: float = 0.1
    momentum: float = 0.9

    def step(self, theta, gradient, slots, t, rate, decay=0.0):
        (v,) = slots
        move = rate * gradient
        v *= self.momentum
        v -= move
        theta += self.momentum * v - move


@dataclass(frozen=True)
class RMSProp(Update):
    """s ← ρ s + (1 − ρ) g²;  θ ← θ − η g / (√s + ε).

    Tieleman, Hinton (2012), lecture 6e.
    """

    kind = "rmsprop"
    slots = ("square",)
    allowed: ClassVar[dict[str, Check]] = {"rho": _BELOW_ONE}
    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8

    def step(self, theta, gradient, slots, t, rate, decay=0.0):
        (s,) = slots
        s *= self.rho
        s += (1 - self.rho) * np.square(gradient)
        theta -= rate * gradient / (np.sqrt(s) + self.epsilon)


@dataclass(frozen=True)
class Adam(Update):
    """θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√s + ε), m and s running means of g and g².

    m ← β₁ m + (1 − β₁) g;  s ← β₂ s + (1 − β₂) g². Kingma, Ba (2015), in the order of operations
    at the end of its section 2, as scikit-learn has it: ε is added to √s before the correction.
    """

    kind = "adam"
    slots = ("mean", "square")
    allowed: ClassVar[dict[str, Check]] = {"beta_1": _BELOW_ONE, "beta_2": _BELOW_ONE}
    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def step(self, theta, gradient, slots, t, rate, decay=0.0):
        m, s = slots
        m *= self.beta_1
        m += (1 - self.beta_1) * gradient
        s *= self.beta_2
        s += (1 - self.beta_2) * np.square(gradient)
        correction = float(np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t))
        theta -= (rate * correction) * m / (np.sqrt(s) + self.epsilon)


@dataclass(frozen=True)
class AdamW(Adam):
    """θ ← θ − η · weight_decay · θ, then as Adam.

    Loshchilov, Hutter (2019), algorithm 2: the decay does not pass through the running means.
    A parameter's decay factor multiplies ``weight_decay``; by default it is 1 for matrices and 0
    for vectors (biases, gains).
    """

    kind = "adamw"
    learning_rate: float = 0.001
    weight_decay: float = 0.01

    def step(self, theta, gradient, slots, t, rate, decay=0.0):
        theta -= rate * decay * theta
        super().step(theta, gradient, slots, t, rate)


def make_update(update: str | Update, learning_rate: float | None = None) -> Update:
    """The rule given, or the one of that name at ``learning_rate`` (default: its own).

    Raises
    ------
    OptionError
        When there is no such rule.
    """
    if isinstance(update, Update):
        return update
    if update not in UPDATES:
        raise OptionError(f"update must be one of {', '.join(UPDATES)}, got {update!r}")
    rule: Any = UPDATES[update]
    return rule() if learning_rate is None else rule(learning_rate=learning_rate)
