"""How many steps a session makes in one go."""

from __future__ import annotations

import time
from collections.abc import Callable

STRETCH_SECONDS = 0.01


class Speed:
    """How many steps to make in one go, so that commands are heard within a moment.

    What a step costs is not known at first (a mini-batch of ten points, or all rows of a file by a
    line search), so the first stretch is one step, and a costlier one is believed at once.

    Parameters
    ----------
    clock : callable
        Seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds_a_step = STRETCH_SECONDS
        self._windows: list[tuple[float, int]] = []
        self._due = 0.0

    def restart(self) -> None:
        """Measure afresh."""
        self._seconds_a_step = STRETCH_SECONDS
        self._windows.clear()
        self._due = self._clock()

    def stretch(self, steps_a_second: int, seconds: float = STRETCH_SECONDS) -> int:
        """Steps to make now, in about so many seconds; 0 while the next is not due."""
        fast = max(1, int(seconds / self._seconds_a_step))
        if not steps_a_second:
            self._due = 0.0
            return fast
        now = self._clock()
        behind = int((now - self._due) * steps_a_second) + 1
        if now < self._due:
            return 0
        wanted = min(behind, fast)
        self._due = max(self._due + wanted / steps_a_second, now - 0.25)
        return wanted

    def wait(self) -> float:
        """Seconds until the next step is due."""
        return self._due - self._clock()

    def note(self, steps: int, seconds: float) -> None:
        """So many steps took so long."""
        if steps and seconds > 0:
            came = seconds / steps
            self._seconds_a_step = max(came, 0.7 * self._seconds_a_step + 0.3 * came)
        now = self._clock()
        self._windows.append((now, steps))
        while self._windows and now - self._windows[0][0] > 1.0:
            self._windows.pop(0)

    def measured(self, per_epoch: int) -> tuple[float, float]:
        """Steps and epochs a second, over the last second."""
        if len(self._windows) < 2:
            return 0.0, 0.0
        span = self._windows[-1][0] - self._windows[0][0]
        if span <= 0:
            return 0.0, 0.0
        rate = sum(steps for _, steps in self._windows[1:]) / span
        return rate, rate / per_epoch
