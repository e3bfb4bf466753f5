"""A moment of a run, to look at and to go on from; what an edit of it may be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.errors import OptionError, describe
from chainrule.server.learner import Memory

MAX_WEIGHT = 1e6


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A moment of a run, to look at and to go on from.

    Attributes
    ----------
    steps, epochs
        Since the start of the run.
    memory : Memory
    settings : mapping
        At that moment.
    done : tuple
        The journal until then: how many entries, and the last of them.
    """

    steps: int
    epochs: float
    memory: Memory
    settings: Mapping[str, Any]
    done: tuple[int, tuple[Any, ...] | None]


def check_edit(
    shapes: Mapping[str, tuple[int, ...]], name: str, index: Sequence[int], value: float
) -> None:
    """Refuse a weight that is not there, or a value beyond ±``MAX_WEIGHT``."""
    if name not in shapes:
        raise OptionError(describe("parameter", f"one of {', '.join(shapes)}", name))
    inside = len(index) == len(shapes[name]) and all(
        0 <= i < size for i, size in zip(index, shapes[name], strict=True)
    )
    if not inside:
        raise OptionError(describe(name, f"an index inside {shapes[name]}", index))
    if not math.isfinite(value) or abs(value) > MAX_WEIGHT:
        raise OptionError(describe(name, f"a number within ±{MAX_WEIGHT:g}", value))
