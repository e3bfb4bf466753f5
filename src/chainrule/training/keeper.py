"""Mini-batch training that keeps its state in a folder, and goes on from what it finds there."""

from __future__ import annotations

from typing import Any

from chainrule.training.checkpoints import Checkpoints, State
from chainrule.training.identity import describe_network, describe_rows, describe_rule
from chainrule.training.trainer import Trainer


class Keeper:
    """Writes the state of ``trainer`` every so many epochs; puts an earlier state back first.

    A copy of the state is taken at the end of each epoch, so that what is written when training
    ends early is the end of an epoch, too, and goes on to the same bits.
    """

    def __init__(self, trainer: Trainer, checkpoints: Checkpoints) -> None:
        self.trainer = trainer
        self.checkpoints = checkpoints
        self._newest: State | None = None
        self._best: State | None = None
        checkpoints.same("training", _describe(trainer))
        if "data" not in checkpoints.identity:
            checkpoints.same("data", describe_rows(trainer.rows))
        checkpoints.same("network", describe_network(trainer.objective))
        if checkpoints.found is not None:
            with checkpoints.reading():
                trainer.load_state_dict(checkpoints.found)

    def epoch_ended(self) -> None:
        """Take a copy of the state, and write it where it is time."""
        trainer = self.trainer
        self._newest = trainer.snapshot()
        if trainer.watch.best_epoch == trainer.epoch:
            self._best = self._newest
        if self.checkpoints.due(trainer.epoch):
            self.write()

    def write(self) -> None:
        """Write what has not been written yet."""
        if self._newest is None:
            return
        best = None if self._best is None else self._with_history(self._best)
        self.checkpoints.save(
            self._with_history(self._newest), self._newest["numbers"]["epoch"], best=best
        )
        self._newest = self._best = None

    def _with_history(self, state: State) -> State:
        """``state`` with the rows that the history had then."""
        rows = state["numbers"]["rows_of_history"]
        columns = self.trainer.history.to_dict(nan=None)
        history = {name: column[:rows] for name, column in columns.items()}
        return {"arrays": state["arrays"], "numbers": state["numbers"] | {"history": history}}


def _describe(trainer: Trainer) -> dict[str, Any]:
    """The options that the course of training depends on."""
    recipe = trainer.recipe
    described = {
        "update": describe_rule(trainer.rule),
        "schedule": describe_rule(trainer.schedule),
        "decay_schedule": describe_rule(trainer.decay_schedule),
        "dropout_schedule": describe_rule(trainer.dropout_schedule),
        "batch_size": recipe.batch_size,
        "shuffle": str(trainer.shuffle),
        "order": trainer.order is not None,
        "dropout seed": recipe.dropout_seed,
        "penalty_by_weight": recipe.penalty_by_weight,
        "clip_norm": recipe.clip_norm,
        "rate_factors": dict(recipe.rate_factors),
        "decay_factors": dict(recipe.decay_factors),
        "drop_last": recipe.drop_last,
        "tol": trainer.watch.tol,
        "n_iter_no_change": trainer.watch.n_iter_no_change,
        "validation": trainer.validation is not None,
        "ties": trainer.watch.ties,
        "precision": str(trainer.theta.dtype),
    }
    schedules = (trainer.schedule, trainer.decay_schedule, trainer.dropout_schedule)
    if any(
        one.reads_progress for one in schedules
    ):  # else training may go on for longer than it was to
        described["max_epochs"] = trainer.max_epochs
    return described
