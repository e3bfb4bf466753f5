"""What moves θ: mini-batches through the trainer, or a full-batch solver, stepwise."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph import Node
from chainrule.server.network import Network
from chainrule.server.settings import FULL_BATCH_SOLVERS
from chainrule.training import Progress, Trainer, Update, make_update, minimize
from chainrule.training.dropout import draw_mask
from chainrule.training.numpy_backend import batch_rows

FOREVER = 10**12


@dataclass(frozen=True, eq=False)
class Memory:
    """Where a learner stood.

    Attributes
    ----------
    theta : ndarray
    steps : int
        Made by the learner.
    state : mapping or None
        The trainer's.
    """

    theta: np.ndarray
    steps: int
    state: Mapping[str, Any] | None = None

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        arrays = {} if self.state is None else self.state["arrays"]
        return self.theta.nbytes + sum(one.nbytes for one in arrays.values())


class Learner(Protocol):
    """Something that improves ``theta`` step by step."""

    per_epoch: int
    finished: bool

    @property
    def theta(self) -> np.ndarray:
        """The parameters now."""
        ...

    @property
    def steps(self) -> int:
        """Mini-batches (or iterations) made; ``per_epoch`` of them see all points once."""
        ...

    def advance(self, steps: int) -> None:
        """So many steps more; a ``NumericalError`` leaves the last good ``theta``."""
        ...

    def edit(self, place: int, value: float) -> None:
        """Set one entry of θ."""
        ...

    def memory(self) -> Memory:
        """Everything that going on from here needs, copied."""
        ...

    def restore(self, memory: Memory) -> None:
        """Go on from there; a full-batch solver begins anew at its θ."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def precision(settings: Mapping[str, Any]) -> type[np.floating[Any]]:
    """float32 for mini-batches; float64 for solvers that look for a minimum."""
    return np.float64 if settings["solver"] in FULL_BATCH_SOLVERS else np.float32


def update_rule(settings: Mapping[str, Any]) -> Update:
    """The update rule of these settings."""
    rule = make_update(settings["solver"], settings["learning_rate"])
    if settings["solver"] in ("momentum", "nesterov"):
        return type(rule)(rule.learning_rate, momentum=settings["momentum"])  # type: ignore[call-arg]
    return rule


def make_learner(
    network: Network,
    X: np.ndarray,
    y: np.ndarray,
    theta: np.ndarray,
    settings: Mapping[str, Any],
    before: Learner | None = None,
) -> Learner:
    """A learner at ``theta``; it goes on where ``before`` stood if that had the same solver."""
    theta = np.array(theta, precision(settings))
    if settings["solver"] in FULL_BATCH_SOLVERS:
        return FullBatch(network, X, y, theta, settings)
    return MiniBatches(network, X, y, theta, settings, before)


class MiniBatches:
    """Mini-batches through the training room's ``Trainer``, thousands in one call."""

    finished = False

    def __init__(
        self,
        network: Network,
        X: np.ndarray,
        y: np.ndarray,
        theta: np.ndarray,
        settings: Mapping[str, Any],
        before: Learner | None = None,
    ) -> None:
        self.trainer = make_trainer(network, X, y, theta, settings)
        self.per_epoch = self.trainer.batches_per_epoch
        if isinstance(before, MiniBatches):
            go_on(self.trainer, before.trainer)
        self._first = self.trainer.step

    @property
    def theta(self) -> np.ndarray:
        """The parameters now."""
        return self.trainer.theta

    @property
    def steps(self) -> int:
        """Mini-batches made by this learner."""
        return self.trainer.step - self._first

    def advance(self, steps: int) -> None:
        """So many mini-batches, over the ends of epochs."""
        self.trainer.run(steps)

    def edit(self, place: int, value: float) -> None:
        """Set one entry of θ."""
        self.trainer.theta[place] = value

    def memory(self) -> Memory:
        """θ, what the update rule remembers, and the place in the order of the points."""
        return Memory(self.theta.copy(), self.steps, self.trainer.state_dict())

    def restore(self, memory: Memory) -> None:
        """Go on from there, to the same bits."""
        if memory.state is None:
            raise OptionError(describe("restore", "the memory of mini-batches", "none"))
        self.trainer.load_state_dict(memory.state)
        self._first = self.trainer.step - memory.steps

    def next_rows(self) -> np.ndarray:
        """The rows of the next mini-batch."""
        trainer = self.trainer
        rows = batch_rows(trainer.rows.count, trainer.recipe, self._number, trainer.shuffle)
        return np.arange(trainer.rows.count)[rows]

    def next_masks(self, rows: int) -> dict[Node, np.ndarray]:
        """What dropout multiplies by in the next mini-batch, of so many rows."""
        trainer = self.trainer
        seed = trainer.recipe.dropout_seed
        if seed is None:
            return {}
        masks = trainer.objective.rows.masks
        dtype = trainer.theta.dtype
        return {node: draw_mask(node, rows, seed, self._number, dtype) for node in masks}

    @property
    def _number(self) -> int:
        return self.trainer.epoch * self.trainer.batches_per_epoch + self.trainer.batch

    def close(self) -> None:
        """Nothing to let go of."""


def go_on(trainer: Trainer, before: Trainer) -> None:
    """Take over where another stood: θ, and the memory too if the update rule is the same.

    Another batch size begins a new epoch.
    """
    if trainer.rule.kind != before.rule.kind:
        trainer.theta[...] = before.theta
        return
    per_epoch = before.batches_per_epoch
    trainer.load_state_dict(before.state_dict())
    if trainer.batches_per_epoch != per_epoch and trainer.batch:
        trainer.epoch, trainer.batch = trainer.epoch + 1, 0


def make_trainer(
    network: Network, X: np.ndarray, y: np.ndarray, theta: np.ndarray, settings: Mapping[str, Any]
) -> Trainer:
    """The trainer of these settings: one thread, a new order every epoch."""
    return Trainer(
        network.objective,
        X,
        y,
        theta0=theta,
        update=update_rule(settings),
        batch_size=settings["batch_size"],
        max_epochs=FOREVER,
        seed=settings["seed"],
        n_iter_no_change=None,
        n_threads=1,
    )


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
