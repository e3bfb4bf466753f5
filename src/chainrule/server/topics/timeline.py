"""The timeline: looking back, going on from there, a branch beside the run."""

from __future__ import annotations

from typing import Any

from chainrule.server.command import Command, object_of, optional_integer
from chainrule.server.runfile import RunFile
from chainrule.server.session import Session
from chainrule.server.timeline import Timeline


def scrub(session: Session, steps: int | None) -> None:
    """Look at an earlier moment; None: at the present one."""
    session.part(Timeline).scrub(steps)
    session.send_status()


def go_back(session: Session) -> None:
    """Go on from the moment that is looked at."""
    session.part(Timeline).go_back()
    session.send_status()


def branch(session: Session, settings: dict[str, Any]) -> None:
    """Let a branch with other settings leave there, and go on side by side."""
    session.playing = False
    session.part(Timeline).start_branch(settings)
    session.send_status()


def keep_branch(session: Session) -> None:
    """The branch takes the run's place."""
    session.part(Timeline).keep_branch()
    session.send_status()


def drop_branch(session: Session) -> None:
    """The run goes on alone."""
    session.part(Timeline).drop()
    session.send_status()


def open_run(session: Session, file: RunFile) -> None:
    """Make the run of a file again."""
    session.part(Timeline).open(file)
    session.send_status()


COMMANDS = {
    "scrub": Command(scrub, {"steps": optional_integer}),
    "go_back": Command(go_back),
    "branch": Command(branch, {"settings": object_of}),
    "keep_branch": Command(keep_branch),
    "drop_branch": Command(drop_branch),
}
PARTS = (Timeline,)
