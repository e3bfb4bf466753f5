"""A run as a file: how it started and everything done to it since, so that it can be made again.

{"format": "chainrule run", "version": 1, "settings": {…}, "journal": [["steps", 500],
["fork", {"solver": "adam", …}], ["steps", 200]], "own": null, "fingerprint": "…"}

Whoever opens one lets the run learn again from its start: the same bits on one instruction set and
version, as the fingerprint of the weights shows. Nothing in it is trusted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.errors import DataError, OptionError, describe
from chainrule.server.command import index, integer, number, one_of, short, text, texts
from chainrule.server.encoded import READINGS
from chainrule.server.frames import fingerprint
from chainrule.server.own import Own
from chainrule.server.run import Run
from chainrule.server.settings import BRANCHABLE, FORK, LOOKS, MAX_STEPS, TABLE, read_settings
from chainrule.server.tables import MAX_BYTES, TABLE_NAME, check_size

FORMAT, VERSION = "chainrule run", 1
MAX_RUN_BYTES = 2 * MAX_BYTES
"""Twice a table: its signs may need two bytes each in JSON."""

MAX_EVENTS = 5000

Event = tuple[Any, ...]
LIVE = tuple(s.name for s in TABLE if not s.restarts and s.name not in LOOKS) + BRANCHABLE
"""Settings that a journal may change."""


@dataclass(frozen=True)
class RunFile:
    """What a run file says.

    Attributes
    ----------
    settings : dict
        At the start.
    journal : list of tuple
        As ``Run.journal``.
    own : Own or None
    fingerprint : str
        Of the weights where the journal ends.
    """

    settings: dict[str, Any]
    journal: list[Event]
    own: Own | None
    fingerprint: str


def write_run(run: Run, own: Own | None) -> bytes:
    """The file of a run.

    Raises
    ------
    DataError
        Points or layers that came from Python, or a history that is too long.
    """
    if run.settings["dataset"] != "own":
        own = None
    if run.given is not None or (own is not None and own.points is not None):
        remedy = "Take the script and the model file instead."
        came = "points or weights that came from Python"
        raise DataError(describe("run file", "a run that starts in the page", came, remedy))
    if len(run.journal) > MAX_EVENTS:
        remedy = "Take the script and the model file instead."
        came = f"{len(run.journal)} changes"
        raise DataError(describe("run file", f"at most {MAX_EVENTS} changes", came, remedy))
    content = {
        "format": FORMAT,
        "version": VERSION,
        "settings": _start(run),
        "journal": [list(event) for event in run.journal],
        "own": None if own is None else _own_to_plain(own),
        "fingerprint": f"{fingerprint(run.theta):016x}",
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False).encode()


def read_run(content: bytes, most_units: int) -> RunFile:
    """A run file, checked field by field.

    Raises
    ------
    TooLarge
    DataError, OptionError
        Names the field, what was expected and what came.
    """
    check_run_size(len(content), "run file")
    given = _parse(content)
    wanted = {"format", "version", "settings", "journal", "own", "fingerprint"}
    if given.keys() != wanted:
        expected = f"the fields {', '.join(sorted(wanted))}"
        raise DataError(describe("run file", expected, short(sorted(given))))
    if given["format"] != FORMAT or type(given["version"]) is not int:
        raise DataError(describe("run file: format", repr(FORMAT), short(given["format"])))
    if given["version"] != VERSION:
        remedy = "Open it with the chainrule that wrote it, or a newer one."
        raise DataError(describe("run file: version", str(VERSION), given["version"], remedy))
    settings = _without_fork(read_settings(given["settings"], None, most_units))
    own = None if given["own"] is None else _own_from_plain(given["own"])
    if (settings["dataset"] == "own") != (own is not None):
        expected = "points of its own exactly where dataset is 'own'"
        raise DataError(describe("run file: own", expected, settings["dataset"]))
    journal = _journal(given["journal"], settings, most_units)
    return RunFile(settings, journal, own, _hexadecimal(given["fingerprint"]))


def check_run_size(count: int, name: str) -> None:
    """Refuse a file of more bytes than are read."""
    check_size(count, name, MAX_RUN_BYTES)


def _start(run: Run) -> dict[str, Any]:
    """The settings at the start; those that change nothing of how it learns are of now."""
    looks = {name: run.settings[name] for name in LOOKS}
    if run.epochs > looks["stop_epoch"]:
        looks["stop_epoch"] = 0
    return _without_fork({**run.start_settings, **looks})


def _parse(content: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number of JSON")

    try:
        given = json.loads(content.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise DataError(describe("run file", "JSON in UTF-8", str(error)[:200])) from None
    if not isinstance(given, dict):
        raise DataError(describe("run file", "an object", short(given)))
    return given


def _journal(given: Any, settings: Mapping[str, Any], most_units: int) -> list[Event]:
    if not isinstance(given, list) or len(given) > MAX_EVENTS:
        came = f"{len(given)} of them" if isinstance(given, list) else short(given)
        raise DataError(describe("run file: journal", f"a list of at most {MAX_EVENTS}", came))
    now = dict(settings)
    journal = []
    for event in given:
        kind = event[0] if isinstance(event, list) and event else None
        if not isinstance(kind, str) or kind not in _EVENTS:
            expected = f"lists that begin with {', '.join(_EVENTS)}"
            raise DataError(describe("run file: journal", expected, short(event)))
        read = _EVENTS[kind](event[1:], now, most_units)
        if kind == "set":
            now |= read[0]
        journal.append((kind, *read))
    steps = sum(event[1] for event in journal if event[0] == "steps")
    if steps > MAX_STEPS:
        raise DataError(describe("run file: journal", f"at most {MAX_STEPS} steps", steps))
    if sum(event[0] == "fork" for event in journal) > 1:
        raise DataError(describe("run file: journal", "at most one fork", "more"))
    return journal


def _steps(what: list[Any], now: Mapping[str, Any], most_units: int) -> Event:
    return (integer("run file: steps", _only(what)),)


def _set(what: list[Any], now: Mapping[str, Any], most_units: int) -> Event:
    return (_changes(_only(what), LIVE, now, most_units),)


def _fork(what: list[Any], now: Mapping[str, Any], most_units: int) -> Event:
    changes = _changes(_only(what), BRANCHABLE, now, most_units)
    return ({name: changes.get(name, now[name]) for name in BRANCHABLE},)


def _edit(what: list[Any], now: Mapping[str, Any], most_units: int) -> Event:
    if len(what) != 3:
        raise DataError(describe("run file: edit", "a name, an index, a value", short(what)))
    name, place, value = what
    return (
        text("run file: edit", name),
        index("run file: edit", place),
        number("run file: edit", value),
    )


_EVENTS: dict[str, Callable[[list[Any], Mapping[str, Any], int], Event]] = {
    "steps": _steps,
    "set": _set,
    "fork": _fork,
    "edit": _edit,
}


def _only(what: list[Any]) -> Any:
    if len(what) != 1:
        raise DataError(describe("run file: journal", "one thing after its kind", short(what)))
    return what[0]


def _changes(
    given: Any, allowed: tuple[str, ...], now: Mapping[str, Any], most_units: int
) -> dict[str, Any]:
    if not isinstance(given, dict) or not given.keys() <= set(allowed):
        raise OptionError(describe("run file: changes", ", ".join(allowed), short(given)))
    after = read_settings(given, now, most_units)
    return {name: after[name] for name in given}


def _without_fork(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The journal says where a branch leaves."""
    defaults = {row.name: row.default for row in TABLE if row.name in FORK}
    return {**settings, **defaults}


def _own_to_plain(own: Own) -> dict[str, Any]:
    return {
        "table": own.content.decode("utf-8-sig"),
        "columns": list(own.columns),
        "target": own.target,
        "reading": own.reading,
    }


def _own_from_plain(given: Any) -> Own:
    wanted = ("table", "columns", "target", "reading")
    if not isinstance(given, dict) or given.keys() != set(wanted):
        raise DataError(describe("run file: own", f"the fields {', '.join(wanted)}", short(given)))
    if not isinstance(given["table"], str):
        raise DataError(describe("run file: table", "text", short(given["table"])))
    reading = one_of(*READINGS)("run file: reading", given["reading"])
    names = tuple(texts("run file: columns", given["columns"]))
    try:
        content = given["table"].encode()
    except UnicodeEncodeError as error:  # half a pair of surrogates, which JSON can hold
        raise DataError(describe("run file: table", "text", str(error)[:100])) from None
    target = text("run file: target", given["target"])
    return Own(TABLE_NAME, None, content, names, target, reading=reading)


def _hexadecimal(given: Any) -> str:
    allowed = set("0123456789abcdef")
    if not isinstance(given, str) or len(given) != 16 or not set(given) <= allowed:
        raise DataError(describe("run file: fingerprint", "16 hexadecimal digits", short(given)))
    return given
