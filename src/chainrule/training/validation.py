"""What a validation says, and which epoch was the best."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class Validation(NamedTuple):
    """A score on rows that are not trained on (greater is better) and, if wanted, their loss."""

    score: float
    loss: float = math.nan


def as_validation(said: Any) -> Validation:
    """A ``Validation`` from one, or from a plain score."""
    return said if isinstance(said, Validation) else Validation(float(said))
