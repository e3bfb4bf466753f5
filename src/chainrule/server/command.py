"""A command: what a page may ask for, its fields with their limits, and what is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.errors import OptionError, describe

MAX_COUNT = 2**31
MAX_TEXT = 200

Reader = Callable[[str, Any], Any]
"""From a field's name and what came to what is meant; an ``OptionError`` for anything else."""


@dataclass(frozen=True)
class Command:
    """What a page may ask for.

    Attributes
    ----------
    act : callable
        Called in the session's thread as ``act(session, **fields)``.
    fields : mapping
        A reader for each; all must come, and no others.
    """

    act: Callable[..., None]
    fields: Mapping[str, Reader] = field(default_factory=dict)


def integer(name: str, value: Any) -> int:
    """A whole number ≥ 0."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_COUNT:
        raise OptionError(describe(name, "a whole number ≥ 0", short(value)))
    return value


def optional_integer(name: str, value: Any) -> int | None:
    """A whole number ≥ 0, or nothing."""
    return None if value is None else integer(name, value)


def index(name: str, value: Any) -> list[int]:
    """The place of an entry in a vector or matrix."""
    if not isinstance(value, list) or len(value) > 2:
        raise OptionError(describe(name, "at most two whole numbers", short(value)))
    return [integer(name, one) for one in value]


def number(name: str, value: Any) -> float:
    """A finite number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or abs(value) > 1e300 or not math.isfinite(value):
        raise OptionError(describe(name, "a finite number", short(value)))
    return float(value)


def text(name: str, value: Any) -> str:
    """A short text."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise OptionError(describe(name, f"text of at most {MAX_TEXT} signs", short(value)))
    return value


def texts(name: str, value: Any) -> list[str]:
    """At most 200 short texts."""
    if not isinstance(value, list) or len(value) > 200:
        raise OptionError(describe(name, "a list of at most 200 texts", short(value)))
    return [text(name, one) for one in value]


def one_of(*choices: str) -> Reader:
    """One of these texts."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise OptionError(describe(name, f"one of {', '.join(choices)}", short(value)))
        return value

    return read


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise OptionError(describe(name, "true or false", short(value)))
    return value


def object_of(name: str, value: Any) -> dict[str, Any]:
    """A JSON object, for a reader of its own."""
    if not isinstance(value, dict):
        raise OptionError(describe(name, "an object", short(value)))
    return value


def short(value: Any) -> str:
    """A value as an error message shows it."""
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
