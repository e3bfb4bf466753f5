"""How mini-batches are made and used: what stays the same throughout a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import OptionError
from chainrule.networks import ParameterVector
from chainrule.training.updates import Rate, Update


@dataclass(frozen=True)
class Recipe:
    """Batch size, update rule and what modifies them; ``Trainer`` describes each option."""

    update: Update
    batch_size: int
    drop_last: bool = False
    penalty_by_weight: bool = False
    clip_norm: float | None = None
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    decay_factors: Mapping[str, float] = field(default_factory=dict)
    dropout_seed: int | None = None
    n_threads: int | None = None
    check_finite: bool = False

    def batches_per_epoch(self, rows: int) -> int:
        """⌈rows / batch_size⌉; ⌊ ⌋ with ``drop_last``, but never none."""
        size = min(self.batch_size, rows)
        return rows // size if self.drop_last else -(-rows // size)

    def rows_in(self, batches: int, rows: int) -> int:
        """How many of ``rows`` rows the first ``batches`` of an epoch have."""
        return min(batches * self.batch_size, rows)


def check_count(name: str, value: Any) -> int:
    """``value`` if it is an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise OptionError(f"{name} must be an integer ≥ 1, got {value!r}")
    return int(value)


def default_decay_factors(vector: ParameterVector) -> dict[str, float]:
    """1 for matrices, 0 for vectors: biases and gains are not decayed."""
    return {name: float(len(shape) >= 2) for name, shape in vector.shapes.items()}


def check_factors(
    what: str, factors: Mapping[str, float] | None, vector: ParameterVector
) -> dict[str, float]:
    """The factors, all of known parameters and finite numbers ≥ 0; else an ``OptionError``."""
    for name, value in (factors or {}).items():
        if name not in vector.slices:
            raise OptionError(
                f"{what}: no parameter is called {name!r}; there are: {', '.join(vector.slices)}"
            )
        if not (np.isfinite(value) and value >= 0):
            raise OptionError(f"{what}[{name!r}] must be a finite number ≥ 0, got {value!r}")
    return dict(factors or {})


def spread(factors: Mapping[str, float], vector: ParameterVector, dtype: np.dtype) -> Rate:
    """Factors by name as a vector along θ, those not named 1; a plain 1 where there are none."""
    if all(factors.get(name, 1.0) == 1.0 for name in vector.slices):
        return 1.0
    along = np.ones(vector.size, dtype)
    for name, value in factors.items():
        along[vector.slices[name]] = value
    return along
