"""One session: a thread that learns, draws when somebody looks, and does what it is told between.

The thread never waits for drawing or sending: a frame is made only when the page has taken the
last one, and a newer frame takes the place of one that was not sent.
"""

from __future__ import annotations

import logging
import math
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.server import frames
from chainrule.server.announce import points_frame, run_message, status_message
from chainrule.server.inside import Inside
from chainrule.server.listener import Listener
from chainrule.server.own import Own, fitting_loss, points_of
from chainrule.server.run import Run, Snapshot
from chainrule.server.settings import MAX_UNITS, read_settings
from chainrule.server.speed import Speed

LOG = logging.getLogger("chainrule.playground")
FRAME_SECONDS = 1 / 33
UNSEEN_SECONDS = 0.5
ALONE_SECONDS = 600.0
MAX_WAITING = 200


class TooManySessions(ChainruleError, RuntimeError):
    """Every place is taken by a session that somebody looks at."""


class Part:
    """Something that a session keeps beside its run, told in the session's thread what happens."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def begun(self) -> None:
        """Another run has begun."""

    def at_most(self, steps: int) -> int:
        """How many of these steps may be made before this part wants to be told."""
        return steps

    def learnt(self) -> None:
        """The run has made a stretch of steps."""

    def touched(self) -> None:
        """Somebody has changed the run, or is about to."""

    def looked(self) -> None:
        """A frame was made for the page."""

    def wait(self, now: float) -> float:
        """Seconds until it wants to ``work``."""
        return math.inf

    def work(self) -> None:
        """Do a little, a few milliseconds at most."""

    def shown(self) -> None:
        """A page has come: send what it needs."""

    def close(self) -> None:
        """The session ends."""


SomePart = TypeVar("SomePart", bound=Part)
Event = Literal["begun", "learnt", "touched", "looked", "shown", "close"]


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
    parts : sequence of type
        What it keeps beside its run.

    Attributes
    ----------
    id : str
        Random; known to its page only.
    view : Snapshot or None
        The moment that is looked at in place of the present one.
    watched : str
        The panel that is open in the page.
    hurried : bool
        Whether to learn as fast as it goes, whatever speed is set.
    lock : RLock
        Held while the run changes; whoever reads from another thread takes it.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        own: Own | None = None,
        theta: np.ndarray | None = None,
        most_units: int = MAX_UNITS,
        parts: Sequence[type[Part]] = (),
    ) -> None:
        self.most_units = most_units
        self.id = secrets.token_urlsafe(16)
        self.listener = Listener()
        self.own = own
        self.playing = False
        self.focus: int | None = None
        self.upload = b""
        self.lesson: dict[str, Any] | None = None
        self.inside: Inside | None = None
        self.view: Snapshot | None = None
        self.watched = ""
        self.hurried = False
        self.last_seen = time.monotonic()
        self._sequence = 0
        self._number = 0
        self._speed = Speed()
        self._next_frame = 0.0
        self._dirty = True
        self._inbox: queue.Queue[tuple[Callable[..., None], dict[str, Any]]]
        self._inbox = queue.Queue(MAX_WAITING)
        self._closed = threading.Event()
        self.lock = threading.RLock()
        self.run = self.new_run(settings or read_settings({}), theta)
        self._grid = self.run.features_of_picture(frames.grid())
        self._parts = {kind: kind(self) for kind in parts}
        self._each("begun")
        self._thread = threading.Thread(target=self._loop, name="playground", daemon=True)
        self._thread.start()

    # told from outside -------------------------------------------------------------------

    def tell(self, act: Callable[..., None], arguments: dict[str, Any] | None = None) -> bool:
        """Queue ``act(session, **arguments)`` for the thread; False when too many wait."""
        try:
            self._inbox.put_nowait((act, arguments or {}))
        except queue.Full:
            return False
        return True

    def attach(self, listener: Listener) -> None:
        """A page looks at this session from now on."""
        self.listener = listener
        self.last_seen = time.monotonic()
        self.tell(Session.show)

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
        self.tell(Session.send_status)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)
        self._each("close")
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
        for act, arguments in self._waiting():
            self._do(act, arguments)
        if self.playing:
            with self.lock:
                self._learn()
        for part in self._parts.values():
            if part.wait(time.monotonic()) <= 0:
                with self.lock:
                    part.work()
        self._draw()

    def _fail(self) -> None:
        self.listener.send({"type": "failed", "message": self.run.failure})
        self.pause()

    def _waiting(self) -> list[tuple[Callable[..., None], dict[str, Any]]]:
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
        waits += [part.wait(now) for part in self._parts.values()]
        return max(min(waits), 1e-6)

    def _do(self, act: Callable[..., None], arguments: dict[str, Any]) -> None:
        try:
            with self.lock:
                act(self, **arguments)
        except ChainruleError as error:
            kind = type(error).__name__
            self.listener.send({"type": "error", "kind": kind, "message": str(error)})
        self._dirty = True

    def _learn(self) -> None:
        if not self.attached and time.monotonic() - self.last_seen > ALONE_SECONDS:
            self.pause()
            return
        speed = 0 if self.hurried else self.run.settings["speed"]
        wanted = self._speed.stretch(speed, self.run.learner.per_epoch)
        if not wanted:
            return
        begun, before = time.monotonic(), self.run.steps
        self._dirty = True
        try:
            self.advance(wanted)
        except ChainruleError as error:  # not a number that went wrong: a network that cannot run
            self.run.failure = str(error)
        self._speed.note(self.run.steps - before, time.monotonic() - begun)
        if self.run.failure:
            self._fail()
        elif self.run.at_end:
            self.pause()

    def _draw(self) -> None:
        """A frame, if one is due and would be sent; else a point of the loss curve now and then."""
        now = time.monotonic()
        if not self._dirty or now < self._next_frame:
            return
        wanted = self.listener.wants_frame
        if not wanted and now < self._next_frame + UNSEEN_SECONDS:
            return
        began = time.thread_time()
        with self.lock, np.errstate(all="ignore"):
            flags = frames.PLAYING * self.playing | frames.PAST * (self.view is not None)
            speed = self._speed.measured(self.run.learner.per_epoch)
            report = self.run.observe(flags, speed, self.view)
            if wanted:
                self._sequence += 1
                values = self.run.network.values(report.theta, self._grid)
                pictures = frames.paint(values, self.run.network.kind, self.focus)
                frame = frames.pack_frame(self._sequence, report, pictures, self.focus)
                self.listener.offer(frame, self._sequence)
                self._dirty = False
                self._each("looked")
        done = time.monotonic()
        # In step with the clock: what a stretch was too long is taken from the next wait. Large
        # networks draw less often, so that drawing never takes most of the time: of this thread's
        # own, for to wait for a processor that many sessions share is no reason to wait more.
        cost = time.thread_time() - began
        self._next_frame = max(
            self._next_frame + FRAME_SECONDS, done - FRAME_SECONDS, now + 2.5 * cost
        )

    # what commands do, in the thread ------------------------------------------------------

    def part(self, kind: type[SomePart]) -> SomePart:
        """The part of that kind."""
        return self._parts[kind]  # type: ignore[return-value]

    def show(self) -> None:
        """Send what a page that has just come needs."""
        self._announce()
        if self.inside is not None:
            self.listener.send({"type": "inside", **self.inside.describe()})
        self._each("shown")

    def show_panel(self) -> None:
        """Send what the panel that has just been opened needs."""
        self._each("shown")

    def new_run(self, settings: Mapping[str, Any], theta: np.ndarray | None) -> Run:
        """A run of these settings on the points that go with them."""
        points = points_of(settings, self.own)
        settings = {**settings, "loss": fitting_loss(settings["loss"], points)}
        stack = self.own.stack if self.own and settings["dataset"] == "own" else None
        return Run(self.next_number(), settings, points, theta, stack)

    def next_number(self) -> int:
        """A number for a run, which no other of this session has."""
        self._number += 1
        return self._number

    def replace(self, run: Run) -> None:
        """Another run in place of this one."""
        self.run.close()
        self.run = run
        self._grid = run.features_of_picture(frames.grid())
        self.playing = False
        self.focus = None
        self.come_back()
        self._each("begun")
        self._announce()

    def look_elsewhere(self) -> None:
        """The pictures go over two other columns."""
        self._grid = self.run.features_of_picture(frames.grid())
        self.listener.send_binary(points_frame(self.run))

    def advance(self, steps: int) -> None:
        """So many steps of the run, fewer where a part wants to be told before."""
        for part in self._parts.values():
            steps = part.at_most(steps)
        self.run.advance(steps)
        self._each("learnt")

    def play(self) -> None:
        """Learn until told otherwise."""
        if self.run.failure is None and not self.run.at_end:
            self.come_back()
            self.playing = True
            self._speed.restart()
        self.send_status()

    def pause(self) -> None:
        """Stop where it stands."""
        self.playing = False
        self.send_status()

    def come_back(self) -> None:
        """To the present: no longer inside a mini-batch, nor in the past."""
        self.inside = self.view = None

    def touch(self) -> None:
        """Somebody is about to change the run by hand."""
        self.come_back()
        self._each("touched")

    def send_status(self) -> None:
        """Tell the page how the run stands, and show it soon."""
        self.listener.send(status_message(self.run, self.playing, self.inside is not None))
        self._next_frame = min(self._next_frame, time.monotonic())

    def _announce(self) -> None:
        own = None if self.own is None else self.own.name
        self.listener.send(run_message(self.run, own, self.playing))
        self.listener.send_binary(points_frame(self.run))
        self._dirty = True

    def _each(self, event: Event) -> None:
        for part in self._parts.values():
            getattr(part, event)()
