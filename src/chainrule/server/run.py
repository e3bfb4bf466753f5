"""One run: points, a network, where its parameters stand, and everything done to it since."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.errors import NumericalError
from chainrule.graph import Node
from chainrule.server.curve import CurvePoint, add_point
from chainrule.server.frames import FAILED, FINISHED, Report, grid
from chainrule.server.health import unit_states
from chainrule.server.learner import Learner
from chainrule.server.learning import make_learner, precision
from chainrule.server.moment import Snapshot, check_edit
from chainrule.server.network import Stack, build
from chainrule.server.points import Points, features
from chainrule.server.scoring import confusion_matrix, score
from chainrule.server.settings import LOOKS

MOST_SCORED = 2000
"""Images to learn from, and to test on, that losses and scores of a picture are of."""

NOTE_RATIO = 1.1
"""From one noted loss to the next, in epochs, where no picture is drawn between."""


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
        self._pixels: tuple[tuple[Any, ...], np.ndarray] | None = None
        self.journal: list[tuple[Any, ...]] = []
        self.curve: list[CurvePoint] = []
        self.failure: str | None = None
        self.on_note: Callable[[], None] = lambda: None
        self._bind()
        self.learner: Learner = make_learner(
            self.network, self.X_train, self.t_train, start, settings
        )

    def features_of(self, X: np.ndarray) -> np.ndarray:
        """What the network reads of these points, in the run's precision; of images the bytes."""
        if self.points.image is not None:
            return X
        read = features(X, self.settings["features"])
        if self.network.is_own:
            read = read / self.points.scale + self.points.offset
        return read.astype(precision(self.settings))

    @property
    def pixels(self) -> np.ndarray:
        """What the network reads of the points of a picture, a row a pixel."""
        across, up = self.settings["across"], self.settings["up"]
        made_for = across, up, precision(self.settings)
        if self._pixels is None or self._pixels[0] != made_for:
            self._pixels = made_for, self.features_of_picture(grid())
        return self._pixels[1]

    def features_of_picture(self, points: np.ndarray) -> np.ndarray:
        """What the network reads of the points (rows, 2) of the plane; of images there is none."""
        if self.points.image is not None:
            return np.zeros((0, self.network.sizes[0]), np.uint8)
        across, up = self.settings["across"], self.settings["up"]
        return self.features_of(self.points.on_plane(points, across, up))

    @property
    def most_scored(self) -> int | None:
        """Of how many rows to learn from, and to test on, losses and scores are; None: all."""
        return None if self.points.image is None else MOST_SCORED

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
        self._scored = slice(self.most_scored)

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
        vector = self.network.objective.vector
        check_edit(vector.shapes, name, index, value)
        inside = np.ravel_multi_index(tuple(index), vector.shapes[name])
        place = vector.slices[name].start + int(inside)
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
        learnt, unseen = self.X_train[self._scored], self.X_test[self._scored]
        seen = self._values(theta, learnt, (*before, *network.layers))
        train, test = seen[len(before) :], self._values(theta, unseen, ())
        states, reasons = unit_states(network, theta, seen[: len(before)], train)
        n, y = self.points.n_train, self.points.y
        scores, confusion = [], []
        for output, labels in ((train[-1], y[:n][self._scored]), (test[-1], y[n:][self._scored])):
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

    def _values(self, theta: np.ndarray, X: np.ndarray, nodes: Sequence[Node]) -> list[np.ndarray]:
        """The values of these nodes, and the output; of images by the engine, and the scores."""
        network = self.network
        if self.points.image is None:
            return network.evaluate(theta, X, (*nodes, network.output))
        wanted = (*nodes, network.columns[-1].node)
        return [network.objective.forward(theta, X, node) for node in wanted]

    def _losses(self, theta: np.ndarray) -> tuple[float, float, float]:
        objective = self.network.objective
        rows = self._scored
        train = objective.sums(theta, self.X_train[rows], self.t_train[rows])
        test = objective.sums(theta, self.X_test[rows], self.t_test[rows])
        penalty, _ = objective.penalty_and_gradient(theta)
        return train.loss / train.weight, test.loss / test.weight, penalty

    def _note(self, losses: tuple[float, float, float]) -> None:
        """A point of the curve."""
        add_point(self.curve, (self.epochs, losses[0] + losses[2], losses[1]))

    def close(self) -> None:
        """Let go of the learner's thread."""
        self.learner.close()
