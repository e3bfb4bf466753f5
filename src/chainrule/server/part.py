"""What a session keeps beside its run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from chainrule.server.session import Session


class Part:
    """Something that a session keeps beside its run, told in the session's thread what happens."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def begun(self) -> None:
        """Another run has begun."""

    def at_most(self, steps: int) -> int:
        """How many of these steps may be made before this part wants to be told."""
        return steps

    def learnt(self) -> None:
        """The run has made a stretch of steps."""

    def touched(self) -> None:
        """Somebody has changed the run, or is about to."""

    def looked(self) -> None:
        """A frame was made for the page."""

    def wait(self, now: float) -> float:
        """Seconds until it wants to ``work``."""
        return math.inf

    def work(self) -> None:
        """Do a little, a few milliseconds at most."""

    def shown(self) -> None:
        """A page has come: send what it needs."""

    def close(self) -> None:
        """The session ends."""


SomePart = TypeVar("SomePart", bound=Part)
Event = Literal["begun", "learnt", "touched", "looked", "shown", "close"]
