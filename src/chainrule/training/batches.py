"""Mini-batch training to the end: epochs, validation, early stopping, callbacks."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.training.callbacks import Callback, Callbacks, Progress
from chainrule.training.checkpoints import EVERY, Checkpoints, open_checkpoints
from chainrule.training.interrupts import graceful
from chainrule.training.keeper import Keeper
from chainrule.training.objective import Objective
from chainrule.training.progress import progress_bars
from chainrule.training.result import Result
from chainrule.training.rows import Rows
from chainrule.training.trainer import Trainer

MOMENT = 0.05  # seconds
# Before the first epoch has been timed: of a batch, and of a row for each parameter, under NumPy.
SECONDS_OF_A_BATCH, SECONDS_OF_A_NUMBER = 5e-5, 5e-10


def minimize_batches(
    objective: Objective,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    theta0: np.ndarray,
    callbacks: Sequence[Callback | Callable[..., Any]] = (),
    progress_bar: bool | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    checkpoint_every: int = EVERY,
    **trainer_options: Any,
) -> Result:
    """θ that makes J(θ) small, from θ₀, by up to ``max_epochs`` passes over batches of rows.

    ``trainer_options`` are ``Trainer``'s: ``update``, ``schedule``, ``batch_size``,
    ``max_epochs``, ``seed``, ``validation``, … ; ``callbacks`` and ``progress_bar`` are
    ``minimize``'s. With a ``validation`` the result holds the parameters of the best epoch.

    ``checkpoint`` is a folder in which the state is kept every ``checkpoint_every`` epochs; where
    it holds one, training goes on from it to the same bits.

    Examples
    --------
    >>> import chainrule as cr, numpy as np
    >>> x, t = cr.input("x", ("rows", 1)), cr.target("t", ("rows", 1))
    >>> w = cr.parameter("w", (1, 1), init=0.0)
    >>> J = cr.Objective(cr.squared_error(x @ w, t))
    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> result = minimize_batches(J, X, 3 * X, theta0=J.initial(), update="sgd", batch_size=10)
    >>> round(float(result.theta[0]), 1)
    3.0
    """
    trainer = Trainer(objective, X, y, sample_weight, theta0=theta0, **trainer_options)
    with open_checkpoints(checkpoint, checkpoint_every) as kept:
        return run_to_end(trainer, callbacks=callbacks, progress_bar=progress_bar, kept=kept)


def run_to_end(
    trainer: Trainer,
    *,
    callbacks: Sequence[Callback | Callable[..., Any]] = (),
    progress_bar: bool | None = None,
    kept: Checkpoints | None = None,
) -> Result:
    """Epoch after epoch until ``max_epochs``, no improvement, a callback or Ctrl-C ends it.

    Where ``kept`` holds a state of this training, it goes on from there.
    """
    first = trainer.epoch
    keeper = None if kept is None else Keeper(trainer, kept)
    told = Callbacks([*callbacks, *progress_bars(progress_bar)])
    progress = _progress(trainer)
    status, message = "max_iter", ""
    alone = not callbacks and keeper is None
    told.begin(progress)
    try:
        with graceful(trainer.stop):
            while trainer.epoch < trainer.max_epochs and trainer.finished is None:
                trainer.run_epochs(_at_a_time(trainer) if alone else 1)
                progress.epoch = trainer.epoch
                stops = told.epoch_ended(progress)
                if keeper is not None:
                    keeper.epoch_ended()
                if stops:
                    status, message = "callback", "A callback asked to stop."
                    break
            if trainer.finished is not None and status != "callback":
                status, message = "converged", trainer.finished
    except KeyboardInterrupt:
        status, message = "interrupted", "Training interrupted; the best parameters are kept."
    finally:
        trainer.stop[0] = 0
        if keeper is not None:
            keeper.write()
        told.end(progress)
    if status == "max_iter":
        message = f"Maximum of {trainer.max_epochs} epochs reached."
    return _result(trainer, first, status, message)


def _at_a_time(trainer: Trainer) -> int:
    """How many epochs of this training pass in a moment in which nobody has to be told.

    How long a validation takes, the first epoch tells.
    """
    if not trainer.epoch and trainer.validation is not None:
        return 1
    if trainer.epoch:
        epoch = max(trainer.seconds, 1e-9) / trainer.epoch
    else:
        numbers = trainer.rows.count * trainer.theta.size
        epoch = trainer.batches_per_epoch * SECONDS_OF_A_BATCH + numbers * SECONDS_OF_A_NUMBER
    return max(min(trainer.max_epochs - trainer.epoch, int(MOMENT / epoch)), 1)


def _progress(trainer: Trainer) -> Progress:
    theta = trainer.theta.view()
    theta.flags.writeable = False
    return Progress(
        objective=trainer.objective,
        theta=theta,
        epoch=trainer.epoch,
        max_epochs=trainer.max_epochs,
        history=trainer.history,
        solver=trainer.rule.kind,
        trainer=trainer,
        rows=trainer.rows if isinstance(trainer.rows, Rows) else None,
    )


def _result(trainer: Trainer, first: int, status: str, message: str) -> Result:
    """The parameters of the best epoch where there is a validation, else the last."""
    watch, history = trainer.watch, trainer.history
    best = watch.score and watch.best_epoch > 0
    epoch = watch.best_epoch if best else trainer.epoch
    told = history["epoch"]  # without the last one where its validation was interrupted
    loss = history["loss"][told.index(epoch) if epoch in told else -1] if told else math.nan
    return Result(
        theta=(watch.best_theta if best else trainer.theta).copy(),
        loss=loss,
        n_iter=trainer.epoch - first,
        n_evaluations=trainer.step,
        status=status,
        message=message,
        history=history,
        seconds=trainer.seconds,
        best_epoch=watch.best_epoch if best else None,
        best_score=watch.best if watch.score else math.nan,
        trainer=trainer,
    )
