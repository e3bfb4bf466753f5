"""One run: points, a network, where its parameters stand, and everything done to it since."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import NumericalError, OptionError, describe
from chainrule.server.frames import FAILED, FINISHED, Report
from chainrule.server.health import unit_states
from chainrule.server.learning import Learner, Memory, make_learner, precision
from chainrule.server.network import Stack, build
from chainrule.server.points import Points, features
from chainrule.server.settings import LOOKS

CURVE_POINTS = 400
MAX_WEIGHT = 1e6
NOTE_RATIO = 1.1
"""From one noted loss to the next, in epochs, where no picture is drawn between."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A moment of a run, to look at and to go on from.

    Attributes
    ----------
    steps, epochs
        Since the start of the run.
    memory : Memory
    settings : mapping
        At that moment.
    done : tuple
        The journal until then: how many entries, and the last of them.
    """

    steps: int
    epochs: float
    memory: Memory
    settings: Mapping[str, Any]
    done: tuple[int, tuple[Any, ...] | None]


class Run:
    """A network learning; ``reset`` makes a new one.

    Parameters
    ----------
    number : int
        Tells the frames of one run from those of the next.
    settings : mapping
        As ``read_settings`` gives them.
    points : Points
    theta : ndarray, optional
        Where to start; default: drawn from the seed.
    own : callable, optional
        Hidden layers in place of those of the settings.

    Attributes
    ----------
    journal : list of tuple
        What was done: ("steps", n), ("set", changes), ("edit", name, index, value); and
        ("fork", changes) where a branch with other settings left it.
    failure : str or None
        Why it cannot go on.
    on_note : callable
        Called where the loss is noted, at ever larger distances however fast it learns.
    """

    def __init__(
        self,
        number: int,
        settings: Mapping[str, Any],
        points: Points,
        theta: np.ndarray | None = None,
        own: Stack | None = None,
    ) -> None:
        self.number = number
        self.settings = dict(settings)
        self.start_settings = dict(settings)
        self.points = points
        self.own_stack = own
        self.network = build(settings, points, own)
        self.given = theta
        start = self.network.objective.initial(settings["seed"]) if theta is None else theta
        self._steps_before = 0
        self._epochs_before = 0.0
        self._noted_next = 1.0
        self.journal: list[tuple[Any, ...]] = []
        self.curve: list[tuple[float, float, float]] = []
        self.failure: str | None = None
        self.on_note: Callable[[], None] = lambda: None
        self._bind()
        self.learner: Learner = make_learner(
            self.network, self.X_train, self.t_train, start, settings
        )

    def features_of(self, X: np.ndarray) -> np.ndarray:
        """What the network reads of these points, in the run's precision."""
        read = features(X, self.settings["features"])
        if self.network.is_own:
            read = read / self.points.scale + self.points.offset
        return read.astype(precision(self.settings))

    def features_of_picture(self, grid: np.ndarray) -> np.ndarray:
        """What the network reads of the points (rows, 2) of a picture."""
        across, up = self.settings["across"], self.settings["up"]
        return self.features_of(self.points.on_plane(grid, across, up))

    def _bind(self) -> None:
        dtype = precision(self.settings)
        X = self.features_of(self.points.X)
        n, y = self.points.n_train, self.points.y
        self.X_train, self.X_test = X[:n], X[n:]
        t = self.network.targets(y)
        if self.network.is_own and self.network.kind == "value":
            t = self.points.target_offset + t * self.points.target_scale
        t = t if t.dtype.kind == "i" else t.astype(dtype)
        self.t_train, self.t_test = t[:n], t[n:]

    @property
    def theta(self) -> np.ndarray:
        """The parameters now."""
        return self.learner.theta

    @property
    def steps(self) -> int:
        """Mini-batches (or iterations) since the start."""
        return self._steps_before + self.learner.steps

    @property
    def epochs(self) -> float:
        """How often all points have been seen since the start."""
        return self._epochs_before + self.learner.steps / self.learner.per_epoch

    @property
    def at_end(self) -> bool:
        """Whether nothing more will happen: the solver has arrived, or the limit is reached."""
        limit = self.settings["stop_epoch"]
        return self.learner.finished or bool(limit and self.epochs >= limit)

    def steps_to_limit(self, steps: int) -> int:
        """``steps``, or as many as are left before ``stop_epoch``."""
        limit = self.settings["stop_epoch"]
        if not limit:
            return steps
        left = math.ceil((limit - self.epochs) * self.learner.per_epoch - 1e-9)
        return max(0, min(steps, left))

    def steps_to_epoch(self, epochs: int) -> int:
        """Steps to the end of this epoch and of ``epochs − 1`` more."""
        per_epoch = self.learner.per_epoch
        return epochs * per_epoch - self.learner.steps % per_epoch

    def advance(self, steps: int) -> None:
        """So many steps; what goes wrong is kept in ``failure``, with the last good θ."""
        steps = self.steps_to_limit(steps)
        if not steps or self.failure:
            return
        try:
            self._learn(steps)
        except NumericalError as error:
            self.failure = str(error)

    def _learn(self, steps: int) -> None:
        """So many steps; the loss is noted along the way, however fast it goes."""
        end = self.learner.steps + steps
        while self.learner.steps < end and not self.learner.finished:
            left = math.ceil((self._noted_next - self.epochs) * self.learner.per_epoch - 1e-9)
            self._advance(max(1, min(left, end - self.learner.steps)))
            if self.epochs >= self._noted_next - 1e-9:
                with np.errstate(all="ignore"):
                    self._note(self._losses(self.theta))
                self.on_note()
                self._noted_next = max(self.epochs + 1, NOTE_RATIO * self.epochs)

    def _advance(self, steps: int) -> None:
        """So many steps, written down however they end."""
        before = self.learner.steps
        try:
            self.learner.advance(steps)
        finally:
            made = self.learner.steps - before
            if self.journal and self.journal[-1][0] == "steps":
                self.journal[-1] = ("steps", self.journal[-1][1] + made)
            elif made:
                self.journal.append(("steps", made))

    def apply(self, settings: Mapping[str, Any]) -> None:
        """Go on with other settings: those of the table that do not begin the run anew."""
        changes = {k: v for k, v in settings.items() if v != self.settings[k]}
        learns_otherwise = bool(changes.keys() - set(LOOKS))
        self.settings = dict(settings)
        if not learns_otherwise:
            return
        self.journal.append(("set", {k: v for k, v in changes.items() if k not in LOOKS}))
        self.network = build(settings, self.points, self.own_stack)
        self._bind()  # a solver that looks for a minimum computes in float64
        self._restart_learner()

    def snapshot(self) -> Snapshot:
        """This moment."""
        done = (len(self.journal), self.journal[-1] if self.journal else None)
        return Snapshot(self.steps, self.epochs, self.learner.memory(), self.settings, done)

    def rewind(self, to: Snapshot, journal: Sequence[tuple[Any, ...]] | None = None) -> None:
        """Go on from ``to``; ``journal`` is that of the run it was taken of (default: this one)."""
        looks = {name: self.settings[name] for name in LOOKS}
        self.settings = {**to.settings, **looks}
        self.network = build(self.settings, self.points, self.own_stack)
        self._bind()
        self.learner.close()
        theta = to.memory.theta
        self.learner = make_learner(self.network, self.X_train, self.t_train, theta, self.settings)
        self.learner.restore(to.memory)
        self._steps_before = to.steps - to.memory.steps
        self._epochs_before = to.epochs - to.memory.steps / self.learner.per_epoch
        count, last = to.done
        self.journal = list(self.journal if journal is None else journal)[:count]
        if last is not None:
            self.journal[-1] = last
        if to.memory.state is None and self.journal and self.journal[-1] != ("set", {}):
            self.journal.append(("set", {}))  # the solver begins anew, in a script of the run too
        self.curve = [point for point in self.curve if point[0] <= to.epochs]
        self.failure = None
        self._noted_next = max(self.epochs + 1, NOTE_RATIO * self.epochs)

    def edit(self, name: str, index: list[int], value: float) -> None:
        """Set one weight or bias."""
        shapes = self.network.objective.vector.shapes
        check_edit(shapes, name, index, value)
        vector = self.network.objective.vector
        place = vector.slices[name].start + int(
            np.ravel_multi_index(tuple(index), vector.shapes[name])
        )
        self.journal.append(("edit", name, list(index), value))
        self.failure = None
        self.learner.edit(place, value)

    def _restart_learner(self) -> None:
        earlier = self.learner
        self._steps_before, self._epochs_before = self.steps, self.epochs
        self.learner = make_learner(
            self.network, self.X_train, self.t_train, earlier.theta, self.settings, earlier
        )
        earlier.close()

    def observe(
        self, extra_flags: int, speed: tuple[float, float], at: Snapshot | None = None
    ) -> Report:
        """The numbers of this moment, of which the loss curve gets a point; or those of ``at``."""
        theta = self.theta if at is None else at.memory.theta
        losses = self._losses(theta)
        if at is None:
            self._note(losses)
        network = self.network
        before = [column.before for column in network.columns[:-1]]
        seen = network.evaluate(theta, self.X_train, (*before, *network.layers, network.output))
        train, test = seen[len(before) :], network.evaluate(theta, self.X_test, [network.output])
        states, reasons = unit_states(network, theta, seen[: len(before)], train)
        n, y = self.points.n_train, self.points.y
        scores, confusion = [], []
        for output, labels in ((train[-1], y[:n]), (test[-1], y[n:])):
            predicted = network.predict(output)
            scores.append(score(predicted, labels, self.points.is_classification))
            confusion.append(confusion_matrix(predicted, labels, len(self.points.classes)))
        flags = extra_flags | FINISHED * self.at_end | FAILED * (self.failure is not None)
        return Report(
            run=self.number,
            flags=flags,
            steps=self.steps if at is None else at.steps,
            epochs=self.epochs if at is None else at.epochs,
            batches_per_second=speed[0],
            epochs_per_second=speed[1],
            losses=losses,
            scores=(scores[0], scores[1]),
            theta=theta,
            curve=np.array(self.curve, np.float64).reshape(-1, 3),
            reasons=reasons,
            states=states,
            confusion=np.stack(confusion),
        )

    def _losses(self, theta: np.ndarray) -> tuple[float, float, float]:
        objective = self.network.objective
        train = objective.sums(theta, self.X_train, self.t_train)
        test = objective.sums(theta, self.X_test, self.t_test)
        penalty, _ = objective.penalty_and_gradient(theta)
        return train.loss / train.weight, test.loss / test.weight, penalty

    def _note(self, losses: tuple[float, float, float]) -> None:
        """A point of the curve; when it is long, every other one goes."""
        epochs = self.epochs
        if self.curve and epochs < self.curve[-1][0]:
            self.curve.clear()
        if len(self.curve) >= 2:
            spacing = (self.curve[-1][0] - self.curve[0][0]) / CURVE_POINTS
            if epochs - self.curve[-2][0] <= spacing:
                self.curve.pop()
        if not self.curve or epochs > self.curve[-1][0]:
            self.curve.append((epochs, losses[0] + losses[2], losses[1]))
        if len(self.curve) > CURVE_POINTS:
            self.curve[1:-1] = self.curve[2:-1:2]

    def close(self) -> None:
        """Let go of the learner's thread."""
        self.learner.close()


def check_edit(
    shapes: Mapping[str, tuple[int, ...]], name: str, index: Sequence[int], value: float
) -> None:
    """Refuse a weight that is not there, or a value beyond ±``MAX_WEIGHT``."""
    if name not in shapes:
        raise OptionError(describe("parameter", f"one of {', '.join(shapes)}", name))
    inside = len(index) == len(shapes[name]) and all(
        0 <= i < size for i, size in zip(index, shapes[name], strict=True)
    )
    if not inside:
        raise OptionError(describe(name, f"an index inside {shapes[name]}", index))
    if not math.isfinite(value) or abs(value) > MAX_WEIGHT:
        raise OptionError(describe(name, f"a number within ±{MAX_WEIGHT:g}", value))


def score(predicted: np.ndarray, labels: np.ndarray, is_classification: bool) -> float:
    """Share of right answers; R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)² for values."""
    if is_classification:
        return float(np.mean(predicted == labels))
    spread = float(np.sum((labels - labels.mean()) ** 2))
    with np.errstate(all="ignore"):
        error = float(np.sum((labels - predicted.astype(np.float64)) ** 2))
    return 1 - error / spread if spread > 0 else math.nan


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """How often class i (row) was taken for class j (column)."""
    pairs = labels.astype(np.int64) * classes + predicted.astype(np.int64) if classes else []
    return np.bincount(np.asarray(pairs, np.int64), minlength=classes**2).reshape(classes, classes)
