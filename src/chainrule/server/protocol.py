"""What a page may say: one JSON object a message, each kind with its fields and their limits."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from chainrule.errors import OptionError, describe

SUBPROTOCOL = "chainrule.playground.1"
MAX_MESSAGE_BYTES = 16_384
MAX_COUNT = 2**31
MAX_TEXT = 200


def _integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_COUNT:
        raise OptionError(describe(name, "a whole number ≥ 0", _short(value)))
    return value


def _optional_integer(name: str, value: Any) -> int | None:
    return None if value is None else _integer(name, value)


def _index(name: str, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > 2:
        raise OptionError(describe(name, "at most two whole numbers", _short(value)))
    return [_integer(name, one) for one in value]


def _number(name: str, value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or abs(value) > 1e300 or not math.isfinite(value):
        raise OptionError(describe(name, "a finite number", _short(value)))
    return float(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise OptionError(describe(name, f"text of at most {MAX_TEXT} signs", _short(value)))
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 2:
        raise OptionError(describe(name, "a list of two texts", _short(value)))
    return [_text(name, one) for one in value]


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise OptionError(describe(name, "true or false", _short(value)))
    return value


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(describe(name, "an object", _short(value)))
    return value


Reader = Callable[[str, Any], Any]
MESSAGES: dict[str, dict[str, Reader]] = {
    "set": {"settings": _object},
    "play": {},
    "pause": {},
    "step": {},
    "reset": {},
    "edit": {"parameter": _text, "index": _index, "value": _number},
    "look": {"unit": _optional_integer},
    "own": {"columns": _texts, "target": _text},
    "inside": {"position": _optional_integer, "row": _optional_integer},
    "explain": {"name": _text, "index": _index},
    "update": {},
    "leave": {},
    "drawn": {"frame": _integer},
    "visible": {"visible": _flag},
}
"""Every message by its type, with its fields; all fields must be there, and no others."""


def read_message(text: str | bytes) -> tuple[str, dict[str, Any]]:
    """The type and the checked fields of a message.

    Raises
    ------
    OptionError
        For anything else than a message of ``MESSAGES``.
    """
    if isinstance(text, bytes):
        raise OptionError(describe("message", "text", f"{len(text)} bytes"))
    if len(text) > MAX_MESSAGE_BYTES:
        raise OptionError(describe("message", f"at most {MAX_MESSAGE_BYTES} bytes", len(text)))
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OptionError(describe("message", "JSON", str(error)[:MAX_TEXT])) from None
    if not isinstance(message, dict) or message.get("type") not in list(MESSAGES):
        raise OptionError(describe("message", f"a type in {', '.join(MESSAGES)}", _short(message)))
    fields = MESSAGES[message["type"]]
    given = {name: value for name, value in message.items() if name != "type"}
    if given.keys() != fields.keys():
        expected = f"the fields {', '.join(fields) or 'none'}"
        raise OptionError(describe(message["type"], expected, _short(list(given))))
    return message["type"], {name: read(name, given[name]) for name, read in fields.items()}


def dumps(message: dict[str, Any]) -> str:
    """A message as JSON that every browser reads: what is not finite becomes null or text."""
    return json.dumps(_plain(message), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
