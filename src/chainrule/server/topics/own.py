"""Somebody's own points, from the file that was sent last."""

from __future__ import annotations

from chainrule.errors import ChainruleError
from chainrule.server.command import Command, text, texts
from chainrule.server.own import Own, fitting_loss
from chainrule.server.session import Session

TABLE_NAME = "table.csv"


def learn_own(session: Session, columns: list[str], target: str) -> None:
    """Learn from a CSV's columns."""
    own = Own(TABLE_NAME, None, session.upload, tuple(columns), target)
    points = own.split(session.run.settings)
    earlier, session.own = session.own, own
    try:
        loss = fitting_loss(session.run.settings["loss"], points)
        settings = {**session.run.settings, "dataset": "own", "loss": loss, "fork": -1}
        session.replace(session.new_run(settings, None))
    except ChainruleError:
        session.own = earlier
        raise
    session.send_status()


COMMANDS = {"own": Command(learn_own, {"columns": texts, "target": text})}
