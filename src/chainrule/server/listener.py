"""Where a session's messages and frames go; a page's connection is one."""

from __future__ import annotations

from typing import Any


class Listener:
    """Nobody listens: replaced by the page's connection."""

    def send(self, message: dict[str, Any]) -> None:
        """Take a control message."""

    def offer(self, frame: bytes, sequence: int) -> None:
        """Take the latest frame, in place of one not yet sent."""

    def send_binary(self, data: bytes) -> None:
        """Take data that must arrive."""

    @property
    def wants_frame(self) -> bool:
        """Whether a frame would be sent at once."""
        return False
