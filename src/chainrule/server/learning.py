"""What moves θ: mini-batches through the trainer here, or a full-batch solver, stepwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import OptionError, describe
from chainrule.graph import Node
from chainrule.server.learner import Learner, Memory
from chainrule.server.network import Network
from chainrule.server.settings import FULL_BATCH_SOLVERS
from chainrule.server.solving import FullBatch
from chainrule.training import Momentum, Nesterov, Trainer, Update, make_update
from chainrule.training.dropout import draw_mask
from chainrule.training.numpy_backend import batch_rows

FOREVER = 10**12


def precision(settings: Mapping[str, Any]) -> type[np.floating[Any]]:
    """float32 for mini-batches; float64 for solvers that look for a minimum."""
    return np.float64 if settings["solver"] in FULL_BATCH_SOLVERS else np.float32


def update_rule(settings: Mapping[str, Any]) -> Update:
    """The update rule of these settings."""
    rule = make_update(settings["solver"], settings["learning_rate"])
    if isinstance(rule, Momentum | Nesterov):
        return replace(rule, momentum=settings["momentum"])
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
