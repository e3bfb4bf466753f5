"""Guided lessons: what one may hold, read strictly; the six that come along, and a teacher's own.

A lesson is a JSON file; ``docs/playground.md`` describes it. Its texts are plain text: the page
never takes them for anything else. Whatever is not expected is refused, and the field is named.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from chainrule.errors import DataError, OptionError, describe
from chainrule.server.settings import HIDEABLE, TABLE, read_settings

VERSION = 1
LANGUAGES = ("en", "fa")
LESSONS = ("one-neuron", "xor", "dead-relu", "learning-rate", "overfitting", "backward-pass")
"""Those that come along, in the order in which they are taught."""

MEASURES = (
    *("train_score", "test_score", "train_loss", "test_loss", "gap", "epochs", "stopped"),
    *("dead", "saturated", "exploding", "revived", "hidden_layers", "units"),
    *("inside_forward", "inside_backward", "gradients_checked", "inside_updates"),
)
"""The numbers that a goal may ask for; the page measures them."""

MAX_BYTES = 64 * 2**10
MAX_DEPTH = 6
MAX_STEPS = 20
MAX_CONDITIONS = 6
MAX_TITLE = 120
MAX_TEXT = 2000

Reader = Callable[[Any, str], Any]


class LessonTooLarge(DataError):
    """More bytes than are read."""


def read_lesson(content: bytes, name: str = "lesson.json") -> dict[str, Any]:
    """The lesson of a file, checked to the last field.

    Returns
    -------
    dict
        As the file has it, but that every step's ``settings`` are complete, or None where the step
        changes none; ``hint``, ``summary`` and a step's ``title`` may be None.

    Raises
    ------
    DataError
        Names the field, what was expected and what came.
    """
    check_size(len(content), name)
    try:
        text = content.decode("utf-8-sig")
        lesson = json.loads(text, object_pairs_hook=_object_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        remedy = "Save the file as UTF-8."
        raise DataError(describe(name, "text in UTF-8", str(error)[:200], remedy)) from None
    except (ValueError, RecursionError) as error:
        raise DataError(describe(name, "JSON", str(error)[:200])) from None
    if _depth(lesson) > MAX_DEPTH:
        raise DataError(describe(name, f"at most {MAX_DEPTH} levels of lists and objects", "more"))
    return _lesson(lesson, name)


def check_size(count: int, name: str) -> None:
    """Refuse a file of more bytes than are read."""
    if count > MAX_BYTES:
        raise LessonTooLarge(describe(name, f"at most {MAX_BYTES} bytes", count))


@cache
def lessons() -> tuple[dict[str, Any], ...]:
    """Those that come along."""
    folder = resources.files("chainrule.server") / "classroom"
    return tuple(
        read_lesson((folder / f"{name}.json").read_bytes(), f"{name}.json") for name in LESSONS
    )


def start_of(lesson: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with which a lesson begins."""
    return lesson["steps"][0]["settings"]


def _lesson(value: Any, where: str) -> dict[str, Any]:
    lesson = _fields(
        value,
        where,
        {"chainrule_lesson": _version, "id": _id, "title": _texts(MAX_TITLE), "steps": _steps},
        {
            "summary": (_texts(MAX_TEXT), None),
            "settings": (_settings, {}),
            "page": (_page, {"show_test": False, "discretize": False, "hide": []}),
        },
    )
    base = lesson.pop("settings")
    for i, step in enumerate(lesson["steps"]):
        if step["settings"] is not None or i == 0:
            at = f"{where}, steps[{i}].settings"
            step["settings"] = _merged({**base, **(step["settings"] or {})}, at)
    return lesson


def _steps(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_STEPS:
        raise _refuse(where, f"a list of 1 to {MAX_STEPS} steps", value)
    return [_step(step, f"{where}[{i}]") for i, step in enumerate(value)]


def _step(value: Any, where: str) -> dict[str, Any]:
    optional: dict[str, tuple[Reader, Any]] = {
        "title": (_texts(MAX_TITLE), None),
        "hint": (_texts(MAX_TEXT), None),
        "settings": (_settings, None),
        "goal": (_goal, []),
    }
    return _fields(value, where, {"text": _texts(MAX_TEXT)}, optional)


def _goal(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CONDITIONS:
        raise _refuse(where, f"a list of 1 to {MAX_CONDITIONS} conditions", value)
    return [_condition(one, f"{where}[{i}]") for i, one in enumerate(value)]


def _condition(value: Any, where: str) -> dict[str, Any]:
    """A number of the run with a bound, or a setting with what it may be."""
    if isinstance(value, dict) and value.get("measure") == "setting":
        read = {"measure": _text_of(20), "name": _setting_name, "is": _choices}
        return _fields(value, where, read, {})
    bounds: dict[str, tuple[Reader, Any]] = {
        "at_least": (_number, None),
        "at_most": (_number, None),
    }
    condition = _fields(value, where, {"measure": _measure}, bounds)
    if condition["at_least"] is None and condition["at_most"] is None:
        raise _refuse(where, "at_least or at_most", list(value))
    return condition


def _fields(
    value: Any,
    where: str,
    required: Mapping[str, Reader],
    optional: Mapping[str, tuple[Reader, Any]],
) -> dict[str, Any]:
    """An object with these fields and no others."""
    if not isinstance(value, dict):
        raise _refuse(where, "an object", value)
    join = "." if ", " in where else ", "
    for name in value:
        if name not in required and name not in optional:
            known = ", ".join([*required, *optional])
            raise _refuse(where, f"only the fields {known}", name)
    read = {}
    for name, reader in required.items():
        if name not in value:
            raise DataError(describe(f"{where}{join}{name}", "a value", "nothing"))
        read[name] = reader(value[name], f"{where}{join}{name}")
    for name, (reader, default) in optional.items():
        given = name in value
        read[name] = reader(value[name], f"{where}{join}{name}") if given else default
    return read


def _texts(most: int) -> Reader:
    """A text for every language, or an object with one a language."""
    read = _text_of(most)

    def read_texts(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            return read(value, where)
        if not value or not set(value) <= set(LANGUAGES):
            expected = f"text, or an object with {' or '.join(LANGUAGES)} or both"
            raise _refuse(where, expected, list(value))
        return {language: read(text, f"{where}.{language}") for language, text in value.items()}

    return read_texts


def _text_of(most: int) -> Reader:
    def read_text(value: Any, where: str) -> str:
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= len(value) <= most:
            raise _refuse(where, f"text of 1 to {most} signs", value)
        # Cc: control characters; Cs: halves of characters, which no file can hold
        bad = next((c for c in value if c != "\n" and unicodedata.category(c) in ("Cc", "Cs")), "")
        if bad:
            raise _refuse(where, "no control characters but line ends", bad)
        return value

    return read_text


def _version(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _refuse(where, f"the version of the format, {VERSION}", value)
    if value > VERSION:
        remedy = "Update chainrule."
        raise DataError(describe(where, f"at most {VERSION}", value, remedy))
    return value


def _id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", value):
        raise _refuse(where, "1 to 40 small letters, digits or hyphens", value)
    return value


def _number(value: Any, where: str) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or abs(value) > 1e12 or not math.isfinite(value):
        raise _refuse(where, "a number of at most 1e12", value)
    return value


def _measure(value: Any, where: str) -> str:
    if not isinstance(value, str) or value not in MEASURES:
        raise _refuse(where, f"setting, {', '.join(MEASURES)}", value)
    return value


def _setting_name(value: Any, where: str) -> str:
    names = [setting.name for setting in TABLE if setting.kind == "choice"]
    if not isinstance(value, str) or value not in names:
        raise _refuse(where, f"one of {', '.join(names)}", value)
    return value


def _choices(value: Any, where: str) -> list[str | int]:
    fits = isinstance(value, list) and 1 <= len(value) <= 12
    if not fits or not all(type(one) in (str, int) and len(str(one)) <= 40 for one in value):
        raise _refuse(where, "a list of 1 to 12 choices", value)
    return value


def _settings(value: Any, where: str) -> dict[str, Any]:
    """Checked by the table once they are complete; here only that they are an object."""
    if not isinstance(value, dict):
        raise _refuse(where, "an object", value)
    return value


def _merged(given: dict[str, Any], where: str) -> dict[str, Any]:
    try:
        settings = read_settings(given)
    except OptionError as error:
        raise DataError(f"{where}: {error}") from None
    if settings["dataset"] == "own":
        remedy = "A lesson brings one of the sets of points."
        raise DataError(
            describe(f"{where}.dataset", "points that a lesson can bring", "own", remedy)
        )
    return settings


def _page(value: Any, where: str) -> dict[str, Any]:
    optional: dict[str, tuple[Reader, Any]] = {
        "show_test": (_flag, False),
        "discretize": (_flag, False),
        "hide": (_hidden, []),
    }
    return _fields(value, where, {}, optional)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _refuse(where, "true or false", value)
    return value


def _hidden(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _refuse(where, "a list of names", value)
    unknown = [one for one in value if one not in HIDEABLE]
    if unknown:
        raise _refuse(where, f"names among {', '.join(HIDEABLE)}", unknown[0])
    return list(dict.fromkeys(value))


def _depth(value: Any) -> int:
    """Levels of lists and objects; counted without recursion, for the file may be hostile."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        inside = one.values() if isinstance(one, dict) else one if isinstance(one, list) else None
        if inside is not None:
            deepest = max(deepest, depth)
            waiting.extend((part, depth + 1) for part in inside)
    return deepest


def _object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    again = next((name for name in names if names.count(name) > 1), None) if names else None
    if again is not None:
        raise ValueError(f"the field {again[:60]!r} stands twice in one object")
    return dict(pairs)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _refuse(where: str, expected: str, came: Any) -> DataError:
    text = came if isinstance(came, str) else repr(came)
    text = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return DataError(describe(where, expected, text if len(text) <= 60 else text[:57] + "…"))
