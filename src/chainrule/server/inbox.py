"""What a session's thread is told to do: commands from other threads, in their order."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

MAX_WAITING = 200

Told = tuple[Callable[..., None], dict[str, Any]]
"""What to do, called as ``act(session, **arguments)``."""


class Inbox:
    """Commands that wait, never more than ``MAX_WAITING``."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Told] = queue.Queue(MAX_WAITING)

    def put(self, act: Callable[..., None], arguments: dict[str, Any]) -> bool:
        """One more; False when too many wait."""
        try:
            self._waiting.put_nowait((act, arguments))
        except queue.Full:
            return False
        return True

    def take(self, patience: float) -> list[Told]:
        """All that have come; waits so many seconds for one where there is none."""
        commands = []
        try:
            commands.append(self._waiting.get(timeout=patience))
            while True:
                commands.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return commands
