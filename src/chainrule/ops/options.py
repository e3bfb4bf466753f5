"""Options of operations: plain Python values within their limits, or an error that names them.

An operation's options are checked once, when it is made. So a graph that was read from a file is
as sound as one that was written by hand, and NumPy's own scalars never widen a float32.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import OptionError

Check = Callable[[str, Any], Any]


def number(
    *, above: float | None = None, below: float | None = None, least: float | None = None
) -> Check:
    """A finite number, if given > ``above``, < ``below``, ≥ ``least``."""
    bounds = [
        (above, operator.gt, ">"),
        (least, operator.ge, "≥"),
        (below, operator.lt, "<"),
    ]
    limits = [(limit, holds, sign) for limit, holds, sign in bounds if limit is not None]
    wanted = " and ".join(["a finite number", *(f"{sign} {limit}" for limit, _, sign in limits)])

    def check(where: str, value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        # an integer stays one: x ** 2 is exact where x ** 2.0 need not be
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not plain or not _is_finite(value):
            raise OptionError(f"{where} must be {wanted}, got {value!r}")
        if not all(holds(value, limit) for limit, holds, _ in limits):
            raise OptionError(f"{where} must be {wanted}, got {value!r}")
        return value

    return check


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of float
        return False


def flag(where: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise OptionError(f"{where} must be True or False, got {value!r}")
    return bool(value)


def integer(where: str, value: Any) -> int:
    """An integer."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise OptionError(f"{where} must be an integer, got {value!r}")
    return int(value)


def axes(where: str, value: Any) -> int | tuple[int, ...] | None:
    """One axis, several, or None for all of them."""
    if value is None:
        return None
    if isinstance(value, (tuple, list)):
        return tuple(integer(where, one) for one in value)
    return integer(where, value)


def default_check(value: Any) -> Check:
    """The check for an option that names none: what its default is, the option must be."""
    return flag if isinstance(value, bool) else number()
