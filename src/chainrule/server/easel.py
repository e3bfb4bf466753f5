"""When a picture is due, and its frame."""

from __future__ import annotations

from chainrule.server.frames import Report, pack_frame, paint
from chainrule.server.run import Run

FRAME_SECONDS = 1 / 33


class Easel:
    """Makes the frames of a session, one after the other.

    Attributes
    ----------
    sequence : int
        How many were made.
    due : float
        When the next one is, by the clock of whoever asks.
    """

    def __init__(self) -> None:
        self.sequence = 0
        self.due = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a frame is due."""
        return self.due - now

    def hurry(self, now: float) -> None:
        """The next one is due at once."""
        self.due = min(self.due, now)

    def frame(self, run: Run, report: Report, focus: int | None) -> bytes:
        """The next "CRF1" frame, with the picture of a unit at full size if one is in focus."""
        self.sequence += 1
        values = run.network.values(report.theta, run.pixels)
        pictures = paint(values, run.network.kind, focus)
        return pack_frame(self.sequence, report, pictures, focus)

    def rest(self, begun: float, done: float) -> None:
        """A frame took from ``begun`` to ``done``.

        In step with the clock: what a stretch was too long is taken from the next wait. Large
        networks draw less often, so that drawing never takes most of the time.
        """
        least = begun + 2.5 * (done - begun)
        self.due = max(self.due + FRAME_SECONDS, done - FRAME_SECONDS, least)
