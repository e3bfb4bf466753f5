"""What a panel shows of a moment of the run, computed a little at a time while somebody looks."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from chainrule.server.part import Part

if TYPE_CHECKING:
    from chainrule.server.session import Session

SLICE_SECONDS = 0.003


class Work(Protocol):
    """Something about one moment that is computed in steps."""

    theta: np.ndarray

    @property
    def is_finished(self) -> bool:
        """Whether all of it is there."""
        ...

    def next(self) -> None:
        """One step more."""


SomeWork = TypeVar("SomeWork", bound=Work)


class Sliced(Part, Generic[SomeWork]):
    """Computes between two stretches of learning, and anew when the run has moved.

    Attributes
    ----------
    latest : Work or None
        What the page has last been sent.
    PANEL : str
        Works only while the page shows this panel.
    REST : float
        Seconds of learning for each second of computing, while the run plays.
    AGAIN_SECONDS : float
        From one whole to the next at least.
    """

    PANEL: str
    REST: float
    AGAIN_SECONDS: float

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.latest: SomeWork | None = None
        self._work: SomeWork | None = None
        self._due = 0.0

    def start(self, theta: np.ndarray) -> SomeWork:
        """Begin on the parameters that the page shows."""
        raise NotImplementedError

    def send(self, work: SomeWork) -> None:
        """Send the page what is finished."""
        raise NotImplementedError

    def begun(self) -> None:
        """What was there is of another run."""
        self.forget()

    def shown(self) -> None:
        """The page has come back, or opened the panel: it needs all anew."""
        self.forget()

    def forget(self) -> None:
        """Begin again at once."""
        self.latest = self._work = None
        self._due = 0.0

    def wait(self, now: float) -> float:
        """Nothing to do while nobody looks."""
        return self._due - now if self.session.watched == self.PANEL else math.inf

    def work(self) -> None:
        """A slice of it; a new one when the last is finished and the run has moved."""
        begun = time.monotonic()
        if self._work is None:
            self._work = self._anew()
        work = self._work
        if work is None:
            self._due = begun + self.AGAIN_SECONDS / 2
            return
        with np.errstate(all="ignore"):
            while not work.is_finished and time.monotonic() - begun < SLICE_SECONDS:
                work.next()
        spent = time.monotonic() - begun
        self._due = begun + spent + (self.REST * spent if self.session.playing else 0)
        if work.is_finished:
            self.latest, self._work = work, None
            self.send(work)
            self._due = begun + self.AGAIN_SECONDS

    def _anew(self) -> SomeWork | None:
        """The next work, unless the page does not look or has this one."""
        session, at = self.session, self.session.view
        theta = np.array(session.run.theta if at is None else at.memory.theta)
        seen = self.latest is not None and np.array_equal(self.latest.theta, theta)
        if seen or not session.listener.wants_frame or not np.all(np.isfinite(theta)):
            return None
        return self.start(theta)
