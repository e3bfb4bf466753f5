"""What a stretch of mini-batches is told and what it tells back: rule, state, order, report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import OptionError

_SLOTS = {"sgd": 0, "momentum": 1, "nesterov": 1, "rmsprop": 1, "adam": 2, "adamw": 2}


@dataclass(frozen=True)
class UpdateRule:
    """How a gradient g moves the parameters θ at the rate η of this step.

    ===========  ==================================================================
    kind         rule (t counts from 1)
    ===========  ==================================================================
    "sgd"        θ ← θ − η g
    "momentum"   v ← μ v − η g;  θ ← θ + v
    "nesterov"   v ← μ v − η g;  θ ← θ + μ v − η g
    "rmsprop"    s ← ρ s + (1 − ρ) g²;  θ ← θ − η g / (√s + ε)
    "adam"       m ← β₁ m + (1 − β₁) g;  s ← β₂ s + (1 − β₂) g²;
                 θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√s + ε)
    "adamw"      θ ← θ − η · weight_decay · θ, then as adam
    ===========  ==================================================================

    "momentum", "nesterov" and "adam" are scikit-learn's forms, so its runs can be reproduced.
    A parameter's rate factor multiplies η; its decay factor multiplies ``weight_decay``.
    """

    kind: str = "adam"
    momentum: float = 0.9
    rho: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in _SLOTS:
            raise OptionError(f"update rule must be one of {', '.join(_SLOTS)}; got {self.kind!r}")

    @property
    def slots(self) -> int:
        """How many vectors as long as θ the rule remembers."""
        return _SLOTS[self.kind]

    def initial_state(self, size: int, dtype: Any) -> UpdateState:
        """The memory before the first step: zeros."""
        return UpdateState(0, tuple(np.zeros(size, dtype) for _ in range(self.slots)))


@dataclass
class UpdateState:
    """What a rule remembers between steps.

    Attributes
    ----------
    step : int
        Updates done so far (t of Adam's next step is ``step + 1``).
    slots : tuple of ndarray
        v; or s; or (m, s): vectors of θ's length and precision, changed in place.
    """

    step: int
    slots: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Shuffle:
    """Rows in a random order, a new one every epoch, without a list of indices.

    Epoch e visits row ``permutation(n, seed, e)[p]`` at position p; with ``window``, whole windows
    of that many neighbouring rows come in random order and rows are shuffled inside each
    (``windowed_permutation``), so that a memory-mapped file is read piece by piece. Both
    functions are in ``chainrule.training.shuffling``.
    """

    seed: int
    window: int | None = None


@dataclass
class BatchReport:
    """What a stretch of mini-batches came to.

    Attributes
    ----------
    n_done : int
        Batches whose update was made. The arrays below have this length, or one more where a
        batch was refused as non-finite: its loss is the last entry, its update was not made.
    losses : ndarray of float64
        Weighted mean row loss of each batch, before its update, without the penalty.
    weights : ndarray of float64
        Sum of sample weights of each batch (its number of rows without weights).
    penalties : ndarray of float64
        The penalty of each batch, before its update, at the scale that was asked.
    gradient_norms : ndarray of float64
        Euclidean norm of each batch's gradient, penalty included, before clipping.
    stopped : {None, "interrupted", "non-finite loss", "non-finite gradient"}
        Why the stretch ended early. θ and the state are those after ``n_done`` updates.
    parameter : str or None
        Where the gradient was not finite: the first parameter with a non-finite entry.
    """

    n_done: int
    losses: np.ndarray
    weights: np.ndarray
    penalties: np.ndarray
    gradient_norms: np.ndarray
    stopped: str | None = None
    parameter: str | None = field(default=None)
