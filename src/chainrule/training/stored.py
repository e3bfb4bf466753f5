"""What a stored state of a trainer must be before it is gone on from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.errors import OptionError, ShapeError


def check_arrays(arrays: Mapping[str, Any], names: tuple[str, ...], theta: np.ndarray) -> None:
    """Refuse arrays of another size or precision than θ's."""
    for name in names:
        came = arrays[name]
        if came.shape != theta.shape or came.dtype != theta.dtype:
            raise ShapeError(
                f"state {name!r}: expected {theta.dtype} of shape {theta.shape}, "
                f"got {came.dtype} of shape {came.shape}"
            )


def check_numbers(numbers: Mapping[str, Any], batches: int, memory: Mapping[str, Any]) -> None:
    """Refuse counters that no training has, before they are counted with."""
    for name in ("epoch", "batch", "rows_seen", "step"):
        value = numbers[name]
        if type(value) is not int or not 0 <= value < 1 << 53:
            raise OptionError(f"state {name!r}: expected an integer ≥ 0, got {value!r}")
    if numbers["batch"] >= batches:
        raise OptionError(f"state 'batch': expected less than {batches}, got {numbers['batch']}")
    if not isinstance(numbers["finished"], (str, type(None))):
        raise OptionError(f"state 'finished': expected a text, got {numbers['finished']!r}")
    if type(numbers["seconds"]) not in (int, float) or len(numbers["tally"]) != 4:
        raise OptionError("state 'seconds' or 'tally': expected a number, and four of them")
    if set(numbers["schedule"]) != set(memory):
        raise OptionError(f"state 'schedule': expected {sorted(memory)}")
    if any(type(one) not in (int, float, type(None)) for one in numbers["schedule"].values()):
        raise OptionError("state 'schedule': expected numbers")
