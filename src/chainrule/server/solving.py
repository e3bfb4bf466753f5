"""SciPy's solvers, one iteration at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.server.learner import Memory
from chainrule.server.network import Network
from chainrule.training import Progress, minimize


class FullBatch:
    """A SciPy solver in a thread of its own that waits after every iteration.

    SciPy calls back but cannot be called step by step; so its callback waits until the next
    iteration is wanted, and answers that it should stop when there will be none.
    """

    per_epoch = 1

    def __init__(
        self,
        network: Network,
        X: np.ndarray,
        y: np.ndarray,
        theta: np.ndarray,
        settings: Mapping[str, Any],
    ) -> None:
        self.network, self.X, self.y, self.theta = network, X, y, theta
        self.kind = settings["solver"]
        self.steps = 0
        self._prepare()

    def _prepare(self) -> None:
        self.finished = False
        self._go = threading.Semaphore(0)
        self._arrived: queue.SimpleQueue[np.ndarray | Exception | None] = queue.SimpleQueue()
        self._closed = False
        self._thread: threading.Thread | None = None

    def advance(self, steps: int) -> None:
        """So many iterations, fewer if the solver finds that it has arrived."""
        for _ in range(steps):
            if self.finished:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._solve, daemon=True)
                self._thread.start()
            else:
                self._go.release()
            arrived = self._arrived.get()
            if arrived is None:
                self.finished = True
            elif isinstance(arrived, Exception):
                self.finished = True
                raise arrived
            else:
                self.theta, self.steps = arrived, self.steps + 1

    def edit(self, place: int, value: float) -> None:
        """Set one entry of θ: the solver begins anew from there."""
        self.close()
        theta = self.theta.copy()
        theta[place] = value
        self.theta = theta
        self._prepare()

    def memory(self) -> Memory:
        """θ: what a solver knows beside it cannot be taken out of SciPy."""
        return Memory(self.theta.copy(), self.steps)

    def restore(self, memory: Memory) -> None:
        """The solver begins anew from there."""
        self.close()
        self.theta, self.steps = memory.theta.copy(), memory.steps
        self._prepare()

    def close(self) -> None:
        """End the solver's thread."""
        self._closed = True
        self._go.release()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _solve(self) -> None:
        try:
            minimize(
                self.network.objective,
                self.X,
                self.y,
                theta0=self.theta,
                solver=self.kind,
                max_iter=10**6,
                callbacks=[self._iteration_done],
                progress_bar=False,
            )
            self._arrived.put(None)
        except Exception as error:  # whoever waits must hear of it, whatever it is
            self._arrived.put(error)

    def _iteration_done(self, progress: Progress) -> bool:
        self._arrived.put(np.array(progress.theta))
        self._go.acquire()
        return self._closed
