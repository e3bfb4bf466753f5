"""Settings, playing, single epochs, edits, what is looked at."""

from __future__ import annotations

from typing import Any

from chainrule.server.command import (
    Command,
    index,
    number,
    object_of,
    optional_integer,
    text,
)
from chainrule.server.session import Session
from chainrule.server.settings import read_settings, restarts


def change(session: Session, settings: dict[str, Any]) -> None:
    """Other settings: live where they can be, a new run where not; a stroke more goes on."""
    before = session.run.settings
    after = read_settings(settings, before, session.most_units)
    goes_on = session.playing and {**before, "drawing": after["drawing"]} == after
    if restarts(before, after):
        forked = after if "fork" in settings else {**after, "fork": -1}
        session.replace(session.new_run(forked, None))
        if goes_on:
            session.play()
    else:
        session.touch()
        session.run.apply(after)
    if any(before[name] != after[name] for name in ("across", "up")):
        session.look_elsewhere()
    session.send_status()


def play(session: Session) -> None:
    """Learn until told otherwise."""
    session.play()


def pause(session: Session) -> None:
    """Stop where it stands."""
    session.pause()


def step(session: Session, epochs: int = 1) -> None:
    """To the end of an epoch."""
    session.playing = False
    session.come_back()
    session.advance(session.run.steps_to_epoch(epochs))
    session.send_status()


def reset(session: Session) -> None:
    """The same start again."""
    settings = {**session.run.settings, "fork": -1}
    session.replace(session.new_run(settings, session.run.given))
    session.send_status()


def edit(session: Session, parameter: str, index: list[int], value: float) -> None:
    """Set one weight or bias."""
    session.touch()
    session.run.edit(parameter, index, value)
    session.send_status()


def look(session: Session, unit: int | None) -> None:
    """Send this unit's picture at full size with every frame."""
    session.focus = unit


def watch(session: Session, panel: str) -> None:
    """This panel is open in the page, and no other; the empty name: none."""
    session.watched = panel
    session.show_panel()


COMMANDS = {
    "watch": Command(watch, {"panel": text}),
    "set": Command(change, {"settings": object_of}),
    "play": Command(play),
    "pause": Command(pause),
    "step": Command(step),
    "reset": Command(reset),
    "edit": Command(edit, {"parameter": text, "index": index, "value": number}),
    "look": Command(look, {"unit": optional_integer}),
}
