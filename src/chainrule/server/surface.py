"""The loss around where the run stands, in two directions, with the way that led there.

Computed between two stretches of learning, a little at a time and never more than a fifth of it,
and only while somebody looks. Frame "CRL1", little-endian:

=======  ===========================================================================
bytes
=======  ===========================================================================
0        "CRL1", then uint32: run, path's directions (1) or random ones (0), points in
         each direction, points of the way
20       float64: from and to along the first direction, from and to along the second
52       float32: share of the way along each direction (0: random)
60       float32 losses, the second direction's lowest row first · float32 way: first,
         second, epoch
=======  ===========================================================================
"""

from __future__ import annotations

import math
import struct
import time
from dataclasses import dataclass, field

import numpy as np

from chainrule.errors import ShapeError
from chainrule.server.run import Run
from chainrule.server.session import Session
from chainrule.server.slices import Sliced
from chainrule.server.timeline import Timeline
from chainrule.training.planes import Plane, principal_plane, random_plane, sides

DIRECTIONS = ("path", "random")
HEADER = struct.Struct("<4s4I4d2f")
MOST_ROWS = 1000
WHOLE_SECONDS = 0.4
LEAST, MOST = 11, 31


@dataclass(eq=False)
class Job:
    """A surface that is being computed, point after point."""

    run: Run
    theta: np.ndarray
    plane: Plane
    way: np.ndarray
    axes: tuple[np.ndarray, np.ndarray]
    heights: np.ndarray
    done: int = 0
    X: np.ndarray = field(repr=False, default_factory=lambda: np.zeros(0))
    t: np.ndarray = field(repr=False, default_factory=lambda: np.zeros(0))

    @property
    def is_finished(self) -> bool:
        """Whether every point is there."""
        return self.done == self.heights.size

    def next(self) -> None:
        """The loss of one more point, penalty included, on the first training points."""
        i, j = divmod(self.done, len(self.axes[0]))
        theta = self.plane.point(self.axes[0][j], self.axes[1][i]).astype(self.theta.dtype)
        self.heights[i, j] = self.run.network.objective(theta, self.X, self.t)[0]
        self.done += 1


class Surface(Sliced[Job]):
    """The loss surface of a session, computed again whenever the run has moved."""

    PANEL = "surface"
    REST = 4.0
    AGAIN_SECONDS = 0.4

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.directions = DIRECTIONS[0]
        self.seed = 0

    def choose(self, directions: str, seed: int) -> None:
        """Other directions: those of the way, or random ones from a seed."""
        self.directions, self.seed = directions, seed
        self.forget()

    def start(self, theta: np.ndarray) -> Job:
        """A surface through the moments of the way up to this one."""
        run, at = self.session.run, self.session.view
        steps, epochs = (run.steps, run.epochs) if at is None else (at.steps, at.epochs)
        moments = [one for one in self.session.part(Timeline).moments if one.steps < steps]
        thetas = np.array([*(one.memory.theta for one in moments), theta], np.float64)
        plane = self._plane(run, thetas)
        places = plane.coordinates(thetas)
        way = np.column_stack([places, [*(one.epochs for one in moments), epochs]])
        reach = sides(places, 1.0, "path" if plane.shares else "random")
        X, t = run.X_train[:MOST_ROWS], run.t_train[:MOST_ROWS]
        points = self._points(run, theta, X, t)
        low, high = (np.linspace(*side, points) for side in reach)
        return Job(run, theta, plane, way, (low, high), np.zeros((points, points)), 0, X, t)

    def send(self, work: Job) -> None:
        """The surface."""
        self.session.listener.send_binary(pack(work))

    def _plane(self, run: Run, thetas: np.ndarray) -> Plane:
        if self.directions == "path":
            try:
                return principal_plane(thetas, thetas[-1])
            except ShapeError:  # the way has only begun
                pass
        values = run.network.objective.vector.unpack(thetas[-1])
        return random_plane(values, thetas[-1], self.seed)

    def _points(self, run: Run, theta: np.ndarray, X: np.ndarray, t: np.ndarray) -> int:
        """As many as a moment suffices for."""
        begun = time.perf_counter()
        with np.errstate(all="ignore"):
            run.network.objective(theta, X, t)
        cost = max(time.perf_counter() - begun, 1e-6)
        return int(np.clip(math.sqrt(WHOLE_SECONDS / cost), LEAST, MOST)) // 2 * 2 + 1


def pack(job: Job) -> bytes:
    """One "CRL1" frame."""
    first, second = job.axes
    header = HEADER.pack(
        b"CRL1",
        job.run.number,
        int(job.plane.shares is not None),
        len(first),
        len(job.way),
        first[0],
        first[-1],
        second[0],
        second[-1],
        *(job.plane.shares or (0.0, 0.0)),
    )
    with np.errstate(over="ignore"):
        return header + job.heights.astype("<f4").tobytes() + job.way.astype("<f4").tobytes()
