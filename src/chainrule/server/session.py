"""One session: a thread that learns, draws when somebody looks, and does what it is told between.

The thread never waits for drawing or sending: a frame is made only when the page has taken the
last one, and a newer frame takes the place of one that was not sent.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.server import frames
from chainrule.server.announce import points_frame, run_message, status_message
from chainrule.server.easel import Easel
from chainrule.server.inbox import Inbox, Told
from chainrule.server.inside import Inside
from chainrule.server.listener import Listener
from chainrule.server.moment import Snapshot
from chainrule.server.own import Own, fitting_loss, points_of
from chainrule.server.part import Event, Part, SomePart
from chainrule.server.run import Run
from chainrule.server.settings import MAX_UNITS, read_settings
from chainrule.server.speed import Speed
from chainrule.server.tables import TABLE_NAME
from chainrule.server.turns import Turns

LOG = logging.getLogger("chainrule.playground")
UNSEEN_SECONDS = 0.5
ALONE_SECONDS = 600.0


class TooManySessions(ChainruleError, RuntimeError):
    """Every place is taken by a session that somebody looks at."""


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
    turns : Turns, optional
        Shared with the sessions beside it.

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
        turns: Turns | None = None,
    ) -> None:
        self._turns = turns or Turns()
        self.most_units = most_units
        self.id = secrets.token_urlsafe(16)
        self.listener = Listener()
        self.own = own
        self.playing = False
        self.focus: int | None = None
        self.upload, self.upload_name = b"", TABLE_NAME
        self.lesson: dict[str, Any] | None = None
        self.inside: Inside | None = None
        self.view: Snapshot | None = None
        self.watched = ""
        self.hurried = False
        self.last_seen = time.monotonic()
        self._number = 0
        self._speed = Speed()
        self._easel = Easel()
        self._dirty = True
        self._inbox = Inbox()
        self._closed = threading.Event()
        self.lock = threading.RLock()
        self.run = self.new_run(settings or read_settings({}), theta)
        self._parts: dict[type[Any], Any] = {kind: kind(self) for kind in parts}
        self._each("begun")
        self._thread = threading.Thread(target=self._loop, name="playground", daemon=True)
        self._thread.start()

    # told from outside -------------------------------------------------------------------

    def tell(self, act: Callable[..., None], arguments: dict[str, Any] | None = None) -> bool:
        """Queue ``act(session, **arguments)`` for the thread; False when too many wait."""
        return self._inbox.put(act, arguments or {})

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
        commands = self._inbox.take(self._patience())
        with self._turns.turn():
            self._work(commands)

    def _work(self, commands: list[Told]) -> None:
        for act, arguments in commands:
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

    def _patience(self) -> float:
        now = time.monotonic()
        waits = [UNSEEN_SECONDS]
        if self.playing:
            waits.append(self._speed.wait())
        if self._dirty and self.listener.wants_frame:
            waits.append(self._easel.wait(now))
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
        wanted = self._speed.stretch(speed, self._turns.stretch)
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
        wanted = self.listener.wants_frame
        if not self._dirty or self._easel.wait(now) > 0:
            return
        if not wanted and now < self._easel.due + UNSEEN_SECONDS:
            return
        with self.lock, np.errstate(all="ignore"):
            flags = frames.PLAYING * self.playing | frames.PAST * (self.view is not None)
            speed = self._speed.measured(self.run.learner.per_epoch)
            report = self.run.observe(flags, speed, self.view)
            if wanted:
                frame = self._easel.frame(self.run, report, self.focus)
                self.listener.offer(frame, self._easel.sequence)
                self._dirty = False
                self._each("looked")
        self._easel.rest(now, time.monotonic())

    # what commands do, in the thread ------------------------------------------------------

    def part(self, kind: type[SomePart]) -> SomePart:
        """The part of that kind."""
        return self._parts[kind]

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
        self.playing = False
        self.focus = None
        self.come_back()
        self._each("begun")
        self._announce()

    def look_elsewhere(self) -> None:
        """The pictures go over two other columns."""
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
        self._easel.hurry(time.monotonic())

    def _announce(self) -> None:
        own = None if self.own is None else self.own.name
        self.listener.send(run_message(self.run, own, self.playing))
        self.listener.send_binary(points_frame(self.run))
        self._dirty = True

    def _each(self, event: Event) -> None:
        for part in self._parts.values():
            getattr(part, event)()
