"""Reading digits: the writing pad, and the worst mistakes."""

from __future__ import annotations

import numpy as np

from chainrule.server.command import Command, integer
from chainrule.server.mistakes import Mistakes
from chainrule.server.normalising import ink_of
from chainrule.server.pad import Pad
from chainrule.server.session import Session


def write(session: Session, ink: np.ndarray | None) -> None:
    """This is written on the pad."""
    session.part(Pad).write(ink)


def pick(session: Session, row: int) -> None:
    """Put a test row on the pad."""
    session.part(Pad).pick(row)


def mistakes(session: Session, first: int) -> None:
    """Show the mistakes from this one on."""
    session.part(Mistakes).browse(first)


COMMANDS = {
    "write": Command(write, {"ink": ink_of}),
    "pick": Command(pick, {"row": integer}),
    "mistakes": Command(mistakes, {"first": integer}),
}
PARTS = (Pad, Mistakes)
