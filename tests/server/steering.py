"""Sessions steered by hand: what a page asks for is done in the test's own thread."""

from __future__ import annotations

import time

from chainrule.server.session import Session
from chainrule.server.settings import read_settings
from chainrule.server.timeline import Timeline
from chainrule.server.topics import COMMANDS, PARTS


def open_session(**settings):
    return Session(read_settings(settings), parts=PARTS)


def do(session, command, **fields):
    with session.lock:
        COMMANDS[command].act(session, **fields)


def learn(session, steps):
    with session.lock:
        session.advance(steps)


def at_rest(session):
    """Wait until the run has been made again."""
    end = time.monotonic() + 30
    while session.playing or session.part(Timeline)._plan:
        assert time.monotonic() < end
        time.sleep(0.01)
