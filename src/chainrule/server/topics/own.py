"""Somebody's own points, from the file that was sent last."""

from __future__ import annotations

from chainrule.errors import ChainruleError
from chainrule.server.command import Command, one_of, text, texts
from chainrule.server.encoded import READINGS
from chainrule.server.own import Own, fitting_loss
from chainrule.server.pairs import telling_columns
from chainrule.server.session import Session


def learn_own(session: Session, columns: list[str], target: str, reading: str) -> None:
    """Learn from a CSV's columns; of many, the two that tell most are drawn first."""
    name, content = session.upload_name, session.upload
    own = Own(name, None, content, tuple(columns), target, reading=reading)
    points = own.split(session.run.settings)
    earlier, session.own = session.own, own
    try:
        loss = fitting_loss(session.run.settings["loss"], points)
        across, up = telling_columns(points)
        settings = {**session.run.settings, "dataset": "own", "loss": loss, "fork": -1}
        settings |= {"across": across, "up": up}
        session.replace(session.new_run(settings, None))
    except ChainruleError:
        session.own = earlier
        raise
    session.send_status()


COMMANDS = {
    "own": Command(learn_own, {"columns": texts, "target": text, "reading": one_of(*READINGS)})
}
