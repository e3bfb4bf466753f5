"""The sessions of one server: opened, found, forgotten, never more than a limit."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from chainrule.server.own import Own
from chainrule.server.session import Session, TooManySessions
from chainrule.server.settings import MAX_UNITS, read_settings
from chainrule.server.topics import PARTS
from chainrule.server.turns import Turns

MAX_SESSIONS = 24
FORGET_SECONDS = 1800.0
SPARE_SECONDS = 60.0


class Sessions:
    """The sessions of one server, at most ``limit``.

    Parameters
    ----------
    settings, own, theta, lesson
        What a new session starts with.
    most_units : int
        Of a layer.
    """

    def __init__(
        self,
        settings: dict[str, Any] | None = None,
        own: Own | None = None,
        theta: np.ndarray | None = None,
        limit: int = MAX_SESSIONS,
        most_units: int = MAX_UNITS,
        lesson: dict[str, Any] | None = None,
    ) -> None:
        self.lesson = lesson
        self.settings, self.own, self.theta = settings or read_settings({}), own, theta
        self.limit, self.most_units = limit, most_units
        self.turns = Turns()
        self._by_id: dict[str, Session] = {}
        self._opening = threading.Lock()
        self._one_thread: threadpool_limits | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, name: str) -> Session | None:
        """The session of that id."""
        return self._by_id.get(name)

    @property
    def newest(self) -> Session | None:
        """The session opened last."""
        return next(reversed(self._by_id.values()), None)

    def open(self, settings: dict[str, Any] | None) -> Session:
        """A new session; forgotten ones make room.

        Raises
        ------
        TooManySessions
        """
        with self._opening:
            self._forget(FORGET_SECONDS)
            if len(self._by_id) >= self.limit:
                self._forget(SPARE_SECONDS)
            if len(self._by_id) >= self.limit:
                raise TooManySessions(
                    f"{self.limit} sessions are open, which is the limit; close another page first"
                )
            session = Session(
                settings or self.settings, self.own, self.theta, self.most_units, PARTS, self.turns
            )
            session.lesson = self.lesson
            self._by_id[session.id] = session
            self._share()
            return session

    def _forget(self, seconds: float) -> None:
        now = time.monotonic()
        for name, session in list(self._by_id.items()):
            if not session.attached and now - session.last_seen > seconds:
                del self._by_id[name]
                session.close()
        self._share()

    def _share(self) -> None:
        """With several sessions, BLAS computes in the thread that calls it.

        Its own threads wait for work by spinning, which takes a processor from other sessions.
        """
        if len(self._by_id) > 1 and self._one_thread is None:
            self._one_thread = threadpool_limits(1, user_api="blas")
        elif len(self._by_id) <= 1 and self._one_thread is not None:
            self._one_thread.restore_original_limits()
            self._one_thread = None

    def close(self) -> None:
        """End all."""
        while self._by_id:
            self._by_id.popitem()[1].close()
        self._share()
