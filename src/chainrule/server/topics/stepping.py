"""Step inside: one mini-batch through the graph, a gradient explained, the update."""

from __future__ import annotations

from chainrule.errors import DataError, describe
from chainrule.server.command import Command, index, optional_integer, text
from chainrule.server.inside import Inside
from chainrule.server.session import Session


def enter(session: Session, position: int | None = None, row: int | None = None) -> None:
    """Step inside, or move there."""
    session.playing = False
    run = session.run
    if run.failure is not None or run.at_end:
        came = run.failure or "a run that has ended"
        raise DataError(describe("step inside", "a run that can go on", came))
    session.view = None
    if session.inside is None:
        session.inside = Inside(run)
    if row is not None:
        session.inside.look_at(row)
    if position is not None:
        session.inside.move(position)
    session.send_status()
    session.listener.send({"type": "inside", **session.inside.describe()})


def explain(session: Session, name: str, index: list[int]) -> None:
    """One gradient with its formula, numbers and numerical check."""
    if session.inside is not None:
        session.listener.send({"type": "explained", **session.inside.explain(name, index)})


def update(session: Session) -> None:
    """Make the update that was stepped through, and go to the next mini-batch."""
    row = session.inside.row if session.inside is not None else 0
    session.advance(1)
    session.inside = None
    enter(session, position=0, row=row if row < session.run.settings["batch_size"] else 0)


def leave(session: Session) -> None:
    """Back outside."""
    session.come_back()
    session.send_status()


COMMANDS = {
    "inside": Command(enter, {"position": optional_integer, "row": optional_integer}),
    "explain": Command(explain, {"name": text, "index": index}),
    "update": Command(update),
    "leave": Command(leave),
}
