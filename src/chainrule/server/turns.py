"""Who works when many sessions play: a few at a time, first come, first served.

Threads that all want Python's one lock hinder each other, and some go without for long. So a
session takes a place for each of its turns, and there are as many as processors.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from chainrule.engine.threads import default_threads

PATIENCE_SECONDS = 0.06
"""A turn that lasts longer loses its place: one whose steps are long holds no other up."""

ROUND_SECONDS = 0.02
"""That all learn, one after the other; drawing comes on top."""

LEAST_SECONDS, MOST_SECONDS = 0.001, 0.01


class Turns:
    """Places for sessions that work, and the line of those that wait for one.

    Parameters
    ----------
    places : int, optional
        Default: as many as this process may use processors.
    patience : float
        Seconds after which a place is given to the next.
    """

    def __init__(self, places: int | None = None, patience: float = PATIENCE_SECONDS) -> None:
        self.places = default_threads() if places is None else places
        self.patience = patience
        self._since: dict[object, float] = {}
        self._line: deque[threading.Lock] = deque()
        self._guard = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Work in here."""
        mine = self._take()
        try:
            yield
        finally:
            with self._guard:
                self._since.pop(mine, None)
                self._call()

    @property
    def stretch(self) -> float:
        """Seconds to learn in a turn: shorter the more wait, so that a round stays short."""
        crowd = len(self._since) + len(self._line)
        share = ROUND_SECONDS * self.places / max(crowd, 1)
        return min(max(share, LEAST_SECONDS), MOST_SECONDS)

    def _take(self) -> threading.Lock:
        """Stand in line until called; the lock is what calls."""
        called = threading.Lock()
        called.acquire()
        with self._guard:
            self._line.append(called)
            self._call()
        while not called.acquire(timeout=self.patience):
            with self._guard:
                self._call()
        return called

    def _call(self) -> None:
        """The next in line, as many as there are places that nobody has, or has for too long."""
        now = time.monotonic()
        if len(self._since) >= self.places:
            late = now - self.patience
            self._since = {one: since for one, since in self._since.items() if since > late}
        while self._line and len(self._since) < self.places:
            called = self._line.popleft()
            self._since[called] = now
            called.release()
