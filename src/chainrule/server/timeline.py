"""The timeline of a session: moments of the run, a branch that learns beside it, and replaying.

A run is its settings and its journal, so that a fork is shared by the number of steps after which
it leaves the run: whoever opens it makes the run again, up to there, and then both go on.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from chainrule.errors import ChainruleError, DataError, OptionError, describe
from chainrule.server import frames
from chainrule.server.frames import fingerprint
from chainrule.server.moment import Snapshot, check_edit
from chainrule.server.part import Part
from chainrule.server.run import Run
from chainrule.server.runfile import RunFile
from chainrule.server.session import Session
from chainrule.server.settings import BRANCHABLE, read_settings
from chainrule.training.thinning import Thinned

MAX_MOMENTS = 96
MAX_MOMENT_BYTES = 8 * 2**20
"""Of all moments that a session keeps."""

CELL = 0.05
"""From one moment to the next, at first: steps grow by that share."""

TELL_SECONDS = 0.3


class Timeline(Part):
    """Moments of the whole run, close at its start and ever further apart; a branch.

    Attributes
    ----------
    branch : Run or None
        Learns as many epochs as the run has since ``fork``.
    fork : Snapshot or None
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.branch: Run | None = None
        self.fork: Snapshot | None = None
        self._plan: deque[tuple[Any, ...]] = deque()
        self._expected: str | None = None
        self._told = 0.0
        self._news = False

    # told by the session -----------------------------------------------------------------

    def begun(self) -> None:
        """Remember the start; a run whose settings name a fork is made again up to there."""
        self.drop()
        run = self.session.run
        first = run.snapshot()
        most = MAX_MOMENT_BYTES // max(1, first.memory.size)
        self._kept: Thinned[Snapshot] = Thinned(max(4, min(MAX_MOMENTS, most)), CELL)
        self._end_plan()
        self._seen = run.steps
        run.on_note = self._keep
        self._keep()
        if run.settings["fork"] >= 0:
            changes = {name: run.settings[f"fork_{name}"] for name in BRANCHABLE}
            changes["activations"] = changes["activations"] or run.settings["activations"]
            self.replay([("steps", run.settings["fork"]), ("fork", changes)])

    def replay(self, journal: Iterable[tuple[Any, ...]]) -> None:
        """Do everything of a journal again, as fast as it goes."""
        self._plan = deque(journal)
        self.session.hurried = True
        self._do_instants()
        if self._plan:
            self.session.play()

    def open(self, file: RunFile) -> None:
        """The run of a file, made again from its start."""
        session = self.session
        earlier, session.own = session.own, file.own or session.own
        try:
            run = session.new_run(file.settings, None)
            shapes = run.network.objective.vector.shapes
            for event, *what in file.journal:
                if event == "edit":
                    check_edit(shapes, *what)
        except ChainruleError:
            session.own = earlier
            raise
        session.replace(run)
        self._expected = file.fingerprint
        self.replay(file.journal)

    def at_most(self, steps: int) -> int:
        """No further than the next thing to do again."""
        return min(steps, self._plan[0][1]) if self._plan else steps

    def learnt(self) -> None:
        """Keep a moment now and then, take the branch along, do again what is due."""
        self._keep()
        self._follow()
        if self._plan:
            made = self.session.run.steps - self._seen
            self._plan[0] = ("steps", self._plan[0][1] - made)
            self._do_instants()
        self._seen = self.session.run.steps

    def touched(self) -> None:
        """What somebody does by hand is no longer the run that was to be made again."""
        self._end_plan()
        self._kept_before(self.session.run.steps)

    def shown(self) -> None:
        """Tell where there is something to see."""
        self._news = True
        self._tell()

    def looked(self) -> None:
        """The branch's picture with every frame."""
        if self._is_watched and self.branch is not None:
            self.session.listener.send_binary(self._frame(self.branch))

    def wait(self, now: float) -> float:
        """Of the moments the page hears a few times a second."""
        return self._told + TELL_SECONDS - now if self._news and self._is_watched else math.inf

    def work(self) -> None:
        """Tell the moments."""
        self._tell()

    def close(self) -> None:
        """The branch ends too."""
        self.drop()

    # what somebody asks for --------------------------------------------------------------

    def scrub(self, steps: int | None) -> None:
        """Look at the moment after so many steps; None: at the present one."""
        self.session.playing = False
        self.session.come_back()
        if steps is not None and steps != self.session.run.steps:
            self.session.view = self._moment(steps)
        self._tell()

    def go_back(self) -> None:
        """Go on from the moment that is looked at; what came after it is forgotten."""
        view = self.session.view
        if view is None:
            raise DataError(describe("go on from here", "an earlier moment", "the present one"))
        self._end_plan()
        self.drop()
        self._rewind(view)
        self.session.come_back()

    def start_branch(self, changes: Mapping[str, Any]) -> None:
        """From the moment that is looked at, both go on side by side, one with other settings."""
        run = self.session.run
        unknown = changes.keys() - set(BRANCHABLE)
        if unknown:
            expected = f"some of {', '.join(BRANCHABLE)}"
            raise OptionError(describe("branch", expected, ", ".join(sorted(unknown))))
        fork = self.session.view or run.snapshot()
        after = read_settings(dict(changes), fork.settings, self.session.most_units)
        if all(after[name] == fork.settings[name] for name in BRANCHABLE):
            expected = "another optimiser, learning rate or activation than the run's"
            raise OptionError(describe("branch", expected, "the same"))
        self._end_plan()
        self._split(fork, {name: after[name] for name in BRANCHABLE})

    def keep_branch(self) -> None:
        """The branch takes the place of the run."""
        branch = self.branch
        if branch is None:
            raise DataError(describe("keep the branch", "a branch", "none"))
        self._end_plan()
        moments = self._kept
        limits = {name: self.session.run.settings[name] for name in ("speed", "stop_epoch")}
        branch.settings = {**branch.settings, **limits, "fork": -1}
        fork, self.branch, self.fork = self.fork, None, None  # so that it is not closed
        self.session.replace(branch)
        if fork is not None:
            moments.cut(_place(fork.steps))
        self._kept = moments
        self._keep()

    def drop(self) -> None:
        """Away with the branch."""
        if self.branch is not None:
            self.branch.close()
            run = self.session.run
            run.journal = [("set", {}) if one[0] == "fork" else one for one in run.journal]
            run.settings = {**run.settings, "fork": -1}
        self.branch = self.fork = None
        self._news = True

    # parts -------------------------------------------------------------------------------

    @property
    def moments(self) -> list[Snapshot]:
        """Those that can be looked at."""
        return self._kept.records

    def _keep(self) -> None:
        run = self.session.run
        place = _place(run.steps)
        if run.failure is None and self._kept.wants(place):
            self._kept.add(place, run.snapshot())
            self._news = True

    def _kept_before(self, steps: int) -> None:
        """Keep the moment before a change by hand, whatever the distance."""
        if not self._kept.positions or self._kept.positions[-1] < _place(steps):
            self._kept.add(_place(steps), self.session.run.snapshot())

    def _moment(self, steps: int) -> Snapshot:
        for one in self._kept.records:
            if one.steps == steps:
                return one
        raise DataError(describe("timeline", "a moment that is kept", f"step {steps}"))

    def _rewind(self, to: Snapshot) -> None:
        self.session.run.rewind(to)
        self._kept.cut(_place(to.steps))
        self._seen = to.steps
        self._news = True

    def _split(self, fork: Snapshot, changes: Mapping[str, Any]) -> None:
        """Run and branch go on from ``fork``, the branch with ``changes``."""
        self.drop()
        self._rewind(fork)
        self.session.come_back()
        run = self.session.run
        branch = Run(
            self.session.next_number(), run.start_settings, run.points, run.given, run.own_stack
        )
        branch.curve = [*run.curve]
        branch.rewind(fork, run.journal)
        branch.apply({**branch.settings, **changes})
        branch.settings = {**branch.settings, "stop_epoch": 0}
        run.journal.append(("fork", dict(changes)))
        rows = {f"fork_{name}": value for name, value in changes.items()}
        run.settings = {**run.settings, "fork": fork.steps, **rows}
        self.branch, self.fork = branch, fork

    def _follow(self) -> None:
        """The branch learns until it has as many epochs as the run."""
        branch = self.branch
        if branch is None or branch.failure is not None:
            return
        behind = (self.session.run.epochs - branch.epochs) * branch.learner.per_epoch
        branch.advance(max(0, math.ceil(behind - 1e-9)))

    def _do_instants(self) -> None:
        """Everything in the plan that takes no step."""
        run = self.session.run
        self._seen = run.steps
        while self._plan:
            event, *what = self._plan[0]
            if event == "steps" and what[0] > 0 and not (run.at_end or run.failure):
                return
            self._plan.popleft()
            self._kept_before(run.steps)
            if event == "set" and what[0]:
                run.apply({**run.settings, **what[0]})
            elif event == "set":  # where a solver that looks for a minimum began anew
                run.rewind(run.snapshot())
            elif event == "edit":
                run.edit(*what)
            elif event == "fork":
                self._split(run.snapshot(), what[0])
        expected, made = self._expected, f"{fingerprint(run.theta):016x}"
        self._end_plan()
        self.session.pause()
        if expected is not None:
            self.session.listener.send({"type": "opened", "same": expected == made})

    def _end_plan(self) -> None:
        self._expected = None
        self._plan.clear()
        self.session.hurried = False

    def _frame(self, branch: Run) -> bytes:
        report = branch.observe(frames.PLAYING * self.session.playing, (0.0, 0.0))
        output = branch.network.evaluate(report.theta, branch.pixels, [branch.network.output])
        pictures = frames.paint(output, branch.network.kind)
        alone = frames.Pictures(pictures.planes, pictures.thumbs[:0], None)
        return frames.pack_frame(self.session.run.number, report, alone, None, b"CRB1")

    @property
    def _is_watched(self) -> bool:
        return self.session.watched == "timeline"

    def _tell(self) -> None:
        if not self._is_watched:
            return
        run, branch = self.session.run, self.branch
        view = self.session.view
        self.session.listener.send(
            {
                "type": "timeline",
                "run": run.number,
                "moments": [[one.steps, one.epochs] for one in self._kept.records],
                "steps": run.steps,
                "epochs": run.epochs,
                "view": None if view is None else view.steps,
                "replaying": bool(self._plan),
                "settings": {name: run.settings[name] for name in BRANCHABLE},
                "branch": None
                if branch is None or self.fork is None
                else {
                    "steps": self.fork.steps,
                    "epochs": self.fork.epochs,
                    "settings": {name: branch.settings[name] for name in BRANCHABLE},
                    "failure": branch.failure,
                },
            }
        )
        self._told, self._news = time.monotonic(), False


def _place(steps: int) -> float:
    """Where a moment stands on the line that is thinned evenly: close at the start."""
    return math.log1p(steps)
