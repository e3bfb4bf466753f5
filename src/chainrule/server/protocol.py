"""Messages: what a page may say, one JSON object each, and how it is answered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from chainrule.errors import OptionError, describe
from chainrule.server.command import MAX_TEXT, Reader, flag, integer, short
from chainrule.server.topics import COMMANDS

SUBPROTOCOL = "chainrule.playground.1"
MAX_MESSAGE_BYTES = 16_384

MESSAGES: dict[str, Mapping[str, Reader]] = {
    **{name: command.fields for name, command in COMMANDS.items()},
    "drawn": {"frame": integer},
    "visible": {"visible": flag},
}
"""Every message by its type, with its fields; all fields must be there, and no others.

The commands are the session's; the last two are the connection's own.
"""


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
        raise OptionError(describe("message", f"a type in {', '.join(MESSAGES)}", short(message)))
    fields = MESSAGES[message["type"]]
    given = {name: value for name, value in message.items() if name != "type"}
    if given.keys() != fields.keys():
        expected = f"the fields {', '.join(fields) or 'none'}"
        raise OptionError(describe(message["type"], expected, short(list(given))))
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
