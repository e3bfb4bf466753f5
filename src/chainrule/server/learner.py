"""What every learner can do, and where one stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Memory:
    """Where a learner stood.

    Attributes
    ----------
    theta : ndarray
    steps : int
        Made by the learner.
    state : mapping or None
        The trainer's.
    """

    theta: np.ndarray
    steps: int
    state: Mapping[str, Any] | None = None

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        arrays = {} if self.state is None else self.state["arrays"]
        return self.theta.nbytes + sum(one.nbytes for one in arrays.values())


class Learner(Protocol):
    """Something that improves ``theta`` step by step."""

    per_epoch: int
    finished: bool

    @property
    def theta(self) -> np.ndarray:
        """The parameters now."""
        ...

    @property
    def steps(self) -> int:
        """Mini-batches (or iterations) made; ``per_epoch`` of them see all points once."""
        ...

    def advance(self, steps: int) -> None:
        """So many steps more; a ``NumericalError`` leaves the last good ``theta``."""
        ...

    def edit(self, place: int, value: float) -> None:
        """Set one entry of θ."""
        ...

    def memory(self) -> Memory:
        """Everything that going on from here needs, copied."""
        ...

    def restore(self, memory: Memory) -> None:
        """Go on from there; a full-batch solver begins anew at its θ."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...
