"""One session: a thread that learns, draws when somebody looks, and does what it is told between.

The thread never waits for drawing or sending: a frame is made only when the page has taken the
last one, and a newer frame takes the place of one that was not sent.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, DataError, describe
from chainrule.server import frames
from chainrule.server.inside import Inside
from chainrule.server.network import Network, Stack
from chainrule.server.points import Points, make_points
from chainrule.server.run import Run
from chainrule.server.settings import MAX_UNITS, read_settings, restarts
from chainrule.server.tables import points_of_csv, shuffled

LOG = logging.getLogger("chainrule.playground")
FRAME_SECONDS = 1 / 33
STRETCH_SECONDS = 0.01
UNSEEN_SECONDS = 0.5
ALONE_SECONDS = 600.0
MAX_WAITING = 200


class TooManySessions(ChainruleError, RuntimeError):
    """Every place is taken by a session that somebody looks at."""


@dataclass(frozen=True)
class Own:
    """Points that somebody brought: a CSV's bytes and the chosen columns, or arrays.

    ``stack`` makes the hidden layers of a model that has its own.
    """

    name: str
    points: Points | None = None
    content: bytes = b""
    columns: tuple[str, ...] = ()
    target: str = ""
    stack: Stack | None = None

    def split(self, settings: Mapping[str, Any]) -> Points:
        """The points in the order of the seed, split as set."""
        share, seed = settings["train_percent"] / 100, settings["data_seed"]
        if self.points is not None:
            return shuffled(self.points, share, seed)
        return points_of_csv(
            self.content, self.columns, self.target, train_share=share, seed=seed, name=self.name
        )


class Listener:
    """Where a session's messages and frames go: replaced by the page's connection."""

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


class Session:
    """A run and its thread.

    Parameters
    ----------
    settings : dict
    own : Own, optional
        Points brought along at launch.
    theta : ndarray, optional
        Where the first run starts.
    most_units : int
        Of a layer.

    Attributes
    ----------
    id : str
        Random; known to its page only.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        own: Own | None = None,
        theta: np.ndarray | None = None,
        most_units: int = MAX_UNITS,
    ) -> None:
        self.most_units = most_units
        self.id = secrets.token_urlsafe(16)
        self.listener = Listener()
        self.own = own
        self.playing = False
        self.focus: int | None = None
        self.upload = b""
        self.inside: Inside | None = None
        self.last_seen = time.monotonic()
        self._sequence = 0
        self._number = 0
        self._speed = Speed()
        self._next_frame = 0.0
        self._dirty = True
        self._inbox: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue(MAX_WAITING)
        self._closed = threading.Event()
        self.lock = threading.RLock()  # held while the run changes; a reader takes it to look
        self.run = self._new_run(settings or read_settings({}), theta)
        self._thread = threading.Thread(target=self._loop, name="playground", daemon=True)
        self._thread.start()

    # told from outside -------------------------------------------------------------------

    def tell(self, command: str, arguments: dict[str, Any] | None = None) -> bool:
        """Queue a command; False when too many wait."""
        try:
            self._inbox.put_nowait((command, arguments or {}))
        except queue.Full:
            return False
        return True

    def attach(self, listener: Listener) -> None:
        """A page looks at this session from now on."""
        self.listener = listener
        self.last_seen = time.monotonic()
        self.tell("show")

    def detach(self, listener: Listener) -> None:
        """The page is gone; the run goes on for a while."""
        if self.listener is listener:
            self.listener = Listener()
            self.last_seen = time.monotonic()

    @property
    def attached(self) -> bool:
        """Whether a page looks."""
        return type(self.listener) is not Listener

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self.tell("wake")
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)
        self.run.close()

    # the thread --------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._closed.is_set():
            try:
                self._turn()
            except Exception as error:  # a mistake of ours ends this run, not the session
                LOG.exception("the run stopped")
                self.run.failure = f"{type(error).__name__}: {error}"
                self._fail()

    def _turn(self) -> None:
        for command, arguments in self._waiting():
            self._do(command, arguments)
        if self.playing:
            with self.lock:
                self._learn()
        self._draw()

    def _fail(self) -> None:
        self.listener.send({"type": "failed", "message": self.run.failure})
        self._pause()

    def _waiting(self) -> list[tuple[str, dict[str, Any]]]:
        """The commands that have come; waits for one where there is nothing else to do."""
        commands = []
        try:
            commands.append(self._inbox.get(timeout=self._patience()))
            while True:
                commands.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        return commands

    def _patience(self) -> float:
        now = time.monotonic()
        waits = [UNSEEN_SECONDS]
        if self.playing:
            waits.append(self._speed.wait(now))
        if self._dirty and self.listener.wants_frame:
            waits.append(self._next_frame - now)
        return max(min(waits), 1e-6)

    def _do(self, command: str, arguments: dict[str, Any]) -> None:
        action: Callable[..., None] | None = getattr(self, f"on_{command}", None)
        if action is None:
            return
        try:
            with self.lock:
                action(**arguments)
        except ChainruleError as error:
            kind = type(error).__name__
            self.listener.send({"type": "error", "kind": kind, "message": str(error)})
        self._dirty = True

    def _learn(self) -> None:
        if not self.attached and time.monotonic() - self.last_seen > ALONE_SECONDS:
            self._pause()
            return
        wanted = self._speed.stretch(self.run.settings["speed"], self.run.learner.per_epoch)
        if not wanted:
            return
        begun, before = time.monotonic(), self.run.steps
        self._dirty = True
        try:
            self.run.advance(wanted)
        except ChainruleError as error:  # not a number that went wrong: a network that cannot run
            self.run.failure = str(error)
        self._speed.note(self.run.steps - before, time.monotonic() - begun)
        if self.run.failure:
            self._fail()
        elif self.run.at_end:
            self._pause()

    def _draw(self) -> None:
        """A frame, if one is due and would be sent; else a point of the loss curve now and then."""
        now = time.monotonic()
        if not self._dirty or now < self._next_frame:
            return
        wanted = self.listener.wants_frame
        if not wanted and now < self._next_frame + UNSEEN_SECONDS:
            return
        with self.lock, np.errstate(all="ignore"):
            report = self.run.observe(
                frames.PLAYING * self.playing, self._speed.measured(self.run.learner.per_epoch)
            )
            if wanted:
                self._sequence += 1
                values = self.run.network.values(self.run.theta, self._grid)
                pictures = frames.paint(values, self.run.network.kind, self.focus)
                frame = frames.pack_frame(self._sequence, report, pictures, self.focus)
                self.listener.offer(frame, self._sequence)
                self._dirty = False
        done = time.monotonic()
        # In step with the clock: what a stretch was too long is taken from the next wait. Large
        # networks draw less often, so that drawing never takes most of the time.
        self._next_frame = max(
            self._next_frame + FRAME_SECONDS, done - FRAME_SECONDS, now + 2.5 * (done - now)
        )

    # commands ----------------------------------------------------------------------------

    def on_show(self) -> None:
        """Send what a page that has just come needs."""
        self._announce()
        if self.inside is not None:
            self.listener.send({"type": "inside", **self.inside.describe()})

    def on_set(self, settings: dict[str, Any]) -> None:
        """Other settings: live where they can be, a new run where not."""
        before = self.run.settings
        after = read_settings(settings, before, self.most_units)
        if restarts(before, after):
            self._replace(self._new_run(after, None))
        else:
            self.run.apply(after)
            self._leave_inside()
        if any(before[name] != after[name] for name in ("across", "up")):
            self._grid = self.run.features_of_picture(frames.grid())
            self._send_points()
        self._status()

    def on_play(self) -> None:
        """Learn until told otherwise."""
        if self.run.failure is None and not self.run.at_end:
            self._leave_inside()
            self.playing = True
            self._speed.restart()
        self._status()

    def on_pause(self) -> None:
        """Stop where it stands."""
        self._pause()

    def on_step(self, epochs: int = 1) -> None:
        """To the end of an epoch."""
        self.playing = False
        self._leave_inside()
        self.run.advance(self.run.steps_to_epoch(epochs))
        self._status()

    def on_reset(self) -> None:
        """The same start again."""
        self._replace(self._new_run(self.run.settings, self.run.given))
        self._status()

    def on_edit(self, parameter: str, index: list[int], value: float) -> None:
        """Set one weight or bias."""
        self.run.edit(parameter, index, value)
        self._leave_inside()
        self._status()

    def on_look(self, unit: int | None = None) -> None:
        """Send this unit's picture at full size with every frame."""
        self.focus = unit

    def on_own(self, name: str, content: bytes, columns: list[str], target: str) -> None:
        """Learn from a CSV's columns."""
        own = Own(name, None, content, tuple(columns), target)
        points = own.split(self.run.settings)
        earlier, self.own = self.own, own
        try:
            loss = fitting_loss(self.run.settings["loss"], points)
            settings = {**self.run.settings, "dataset": "own", "loss": loss}
            self._replace(self._new_run(settings, None))
        except ChainruleError:
            self.own = earlier
            raise
        self._status()

    def on_inside(self, position: int | None = None, row: int | None = None) -> None:
        """Step inside, or move there."""
        self.playing = False
        if self.run.failure is not None or self.run.at_end:
            came = self.run.failure or "a run that has ended"
            raise DataError(describe("step inside", "a run that can go on", came))
        if self.inside is None:
            self.inside = Inside(self.run)
        if row is not None:
            self.inside.look_at(row)
        if position is not None:
            self.inside.move(position)
        self._status()
        self.listener.send({"type": "inside", **self.inside.describe()})

    def on_explain(self, name: str, index: list[int]) -> None:
        """One gradient with its formula, numbers and numerical check."""
        if self.inside is not None:
            self.listener.send({"type": "explained", **self.inside.explain(name, index)})

    def on_update(self) -> None:
        """Make the update that was stepped through, and go to the next mini-batch."""
        row = self.inside.row if self.inside is not None else 0
        self.run.advance(1)
        self.inside = None
        self.on_inside(position=0, row=row if row < self.run.settings["batch_size"] else 0)

    def on_leave(self) -> None:
        """Back outside."""
        self._leave_inside()
        self._status()

    # parts -------------------------------------------------------------------------------

    def _new_run(self, settings: Mapping[str, Any], theta: np.ndarray | None) -> Run:
        points = points_of(settings, self.own)
        settings = {**settings, "loss": fitting_loss(settings["loss"], points)}
        stack = self.own.stack if self.own and settings["dataset"] == "own" else None
        run = Run(self._number + 1, settings, points, theta, stack)
        self._number += 1
        self._grid = run.features_of_picture(frames.grid())
        return run

    def _replace(self, run: Run) -> None:
        self.run.close()
        self.run = run
        self.playing = False
        self.focus = None
        self._leave_inside()
        self._announce()

    def _announce(self) -> None:
        run, network = self.run, self.run.network
        self.listener.send(
            {
                "type": "run",
                "run": run.number,
                "settings": run.settings,
                "start_settings": run.start_settings,
                "sizes": list(network.sizes),
                "kind": network.kind,
                "columns": _columns(network),
                "boxes": [{"column": box.column, "name": box.name} for box in network.boxes],
                "is_own": network.is_own,
                "is_plane": run.points.is_plane,
                "classes": list(run.points.classes),
                "axes": list(run.points.axes),
                "offset": list(run.points.offset),
                "scale": list(run.points.scale),
                "parameters": [
                    {"name": name, "shape": list(shape)}
                    for name, shape in network.objective.vector.shapes.items()
                ],
                "own": None if self.own is None else self.own.name,
                "playing": self.playing,
                "failure": run.failure,
            }
        )
        self._send_points()
        self._dirty = True

    def _send_points(self) -> None:
        run = self.run
        columns = run.points.drawn(run.settings["across"], run.settings["up"])
        self.listener.send_binary(frames.pack_points(run.number, run.points, columns))

    def _pause(self) -> None:
        self.playing = False
        self._status()

    def _leave_inside(self) -> None:
        self.inside = None

    def _status(self) -> None:
        self.listener.send(
            {
                "type": "status",
                "playing": self.playing,
                "inside": self.inside is not None,
                "settings": self.run.settings,
                "changed": len(self.run.journal) > 1,
                "failure": self.run.failure,
            }
        )
        self._next_frame = min(self._next_frame, time.monotonic())


def _columns(network: Network) -> list[dict[str, Any]]:
    """What the page needs to draw each column of neurons and the links into it."""
    shapes = network.objective.vector.shapes
    return [
        {
            "weights": column.weights,
            "biases": column.biases,
            "activation": column.activation,
            "is_linked": shapes[column.weights][0] == network.sizes[i],
        }
        for i, column in enumerate(network.columns)
    ]


class Speed:
    """How many steps to make in one go, so that commands are heard within a moment.

    What a step costs is not known at first (a mini-batch of ten points, or all rows of a file by a
    line search), so the first stretch is one step, and a costlier one is believed at once.
    """

    def __init__(self) -> None:
        self._seconds_a_step = STRETCH_SECONDS
        self._windows: list[tuple[float, int]] = []
        self._due = 0.0

    def restart(self) -> None:
        """Measure afresh."""
        self._seconds_a_step = STRETCH_SECONDS
        self._windows.clear()
        self._due = time.monotonic()

    def stretch(self, steps_a_second: int, per_epoch: int) -> int:
        """Steps to make now; 0 while the next is not due."""
        fast = max(1, int(STRETCH_SECONDS / self._seconds_a_step))
        if not steps_a_second:
            self._due = 0.0
            return fast
        now = time.monotonic()
        behind = int((now - self._due) * steps_a_second) + 1
        if now < self._due:
            return 0
        wanted = min(behind, fast)
        self._due = max(self._due + wanted / steps_a_second, now - 0.25)
        return wanted

    def wait(self, now: float) -> float:
        """Seconds until the next step is due."""
        return self._due - now

    def note(self, steps: int, seconds: float) -> None:
        """So many steps took so long."""
        if steps and seconds > 0:
            came = seconds / steps
            self._seconds_a_step = max(came, 0.7 * self._seconds_a_step + 0.3 * came)
        now = time.monotonic()
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


def points_of(settings: Mapping[str, Any], own: Own | None) -> Points:
    """The points of these settings."""
    if settings["dataset"] == "own":
        if own is None:
            remedy = "Open a CSV file first."
            raise DataError(describe("dataset", "own points", "none", remedy))
        return own.split(settings)
    return make_points(
        settings["dataset"],
        seed=settings["data_seed"],
        noise=settings["noise"] / 100,
        n_classes=settings["n_classes"],
        train_share=settings["train_percent"] / 100,
    )


def fitting_loss(loss: str, points: Points) -> str:
    """``loss`` if it suits these points, else the usual one."""
    if points.is_classification:
        return loss if loss in ("cross_entropy", "one_vs_all", "squared_error") else "cross_entropy"
    regression = ("squared_error", "absolute_error", "huber", "quantile")
    return loss if loss in regression else "squared_error"
