"""From an estimator's options to a training run, and what the run came to.

Full-batch solvers ("lbfgs", "cg", "newton-cg", …) see all rows in every step. Mini-batch solvers
("sgd", "adam", …) go over batches of rows; their random draws come in scikit-learn's order, so
the same seed visits the same rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.errors import NumericalError, chapter
from chainrule.estimators.memory import Memory
from chainrule.estimators.network import Network
from chainrule.estimators.reported import loss_reporter, reported_losses
from chainrule.estimators.rules import (
    RowOrder,
    is_mini_batch,
    make_rate_schedule,
    make_update_rule,
)
from chainrule.training import Progress, Result, Trainer, minimize, run_to_end
from chainrule.training.callbacks import Callbacks
from chainrule.training.checkpoints import Checkpoints
from chainrule.training.interrupts import graceful
from chainrule.training.rows import PartitionedRows


class DivergedError(NumericalError, ValueError):
    """Training that ran into infinity; a ValueError too, as scikit-learn raises it."""


@dataclass(frozen=True)
class Rows:
    """What a run trains on: rows, targets as the loss reads them, weights or None.

    Rows in partitions hold their targets and weights themselves.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.X.shape[0])

    @property
    def total_weight(self) -> float:
        """Σ w."""
        return float(self.count) if self.weight is None else float(self.weight.sum())

    def take(self, where: np.ndarray) -> Rows:
        """These rows alone."""
        weight = None if self.weight is None else self.weight[where]
        return Rows(self.X[where], self.y[where], weight)


@dataclass
class Run:
    """How to train, besides the estimator's own options.

    Attributes
    ----------
    random_state : RandomState
        Draws the order of the rows, and the seed of dropout masks where there are any.
    validation : callable or None
        A ``Validation`` at θ: decides when to stop and which θ is kept.
    callbacks : sequence
    one_epoch : bool
        ``partial_fit``: a single epoch, no stopping.
    memory : Memory or None
        What goes on from the last run (``warm_start``, ``partial_fit``).
    penalty_scale : {"mean", "batch"}
        See ``Trainer``.
    check_finite : bool
        Look for NaN and infinity in the rows while they are gathered: nobody has done so before.
    loss_parts : int
        The loss reported is that of a row divided by this: scikit-learn averages a squared error
        over outputs, though its gradient is that of the sum.
    row_constants : ndarray or None
        Terms of each row's loss that are reported with it; no parameter changes them.
    options : dict
        More options of SciPy's solver.
    kept : Checkpoints or None
        Where the state is kept, and what is gone on from.
    """

    random_state: np.random.RandomState
    validation: Callable[[np.ndarray], Any] | None = None
    callbacks: Sequence[Any] = ()
    one_epoch: bool = False
    memory: Memory | None = None
    penalty_scale: str = "batch"
    check_finite: bool = False
    loss_parts: int = 1
    row_constants: np.ndarray | None = None
    options: dict[str, Any] = field(default_factory=dict)
    kept: Checkpoints | None = None


def batch_size_of(estimator: Any, count: int) -> int:
    """Rows of a batch: scikit-learn's min(200, n) for "auto"."""
    if estimator.batch_size == "auto":
        return min(200, count)
    if estimator.batch_size > count:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(estimator.batch_size, count))


def make_trainer(
    estimator: Any, network: Network, theta0: np.ndarray, rows: Rows, run: Run
) -> Trainer:
    """A trainer with the estimator's options, going on from the last run where there was one."""
    patience = estimator.n_iter_no_change
    masks = network.objective.rows.masks
    apart = isinstance(rows.X, PartitionedRows)  # which have orders of their own
    trainer = Trainer(
        network.objective,
        rows.X,
        rows.y,
        rows.weight,
        theta0=theta0,
        update=make_update_rule(estimator),
        schedule=make_rate_schedule(estimator),
        batch_size=batch_size_of(estimator, rows.count),
        max_epochs=estimator.max_iter,
        shuffle=estimator.shuffle,
        seed=int(run.random_state.randint(2**31)) if masks or apart else 0,
        order=RowOrder(rows.count, run.random_state) if estimator.shuffle and not apart else None,
        penalty_scale=run.penalty_scale,
        clip_norm=estimator.grad_clip_norm,
        tol=float(estimator.tol),
        n_iter_no_change=None if math.isinf(patience) else int(patience),
        validation=run.validation,
        n_threads=estimator.n_threads,
        check_finite=run.check_finite,
    )
    if run.memory is not None:
        run.memory.hand_on(trainer, update_rule=run.one_epoch)
    trainer.backend = reported_losses(  # type: ignore[assignment]  # stands in for it
        trainer.backend, run.loss_parts, run.row_constants, rows.weight
    )
    return trainer


def train_mini_batches(
    estimator: Any, network: Network, theta0: np.ndarray, rows: Rows, run: Run
) -> Result:
    """Epochs of mini-batches until nothing improves, or one epoch."""
    trainer = make_trainer(estimator, network, theta0, rows, run)
    try:
        if run.one_epoch:
            return _one_epoch(trainer, run.callbacks)
        result = run_to_end(
            trainer,
            callbacks=run.callbacks,
            progress_bar=estimator.progress_bar,
            kept=run.kept,
        )
    except NumericalError as error:
        if run.validation is None or trainer.watch.best_epoch == 0:
            raise
        return diverged_result(trainer, str(error))
    if run.validation is None:
        return result
    if trainer.watch.best_epoch == 0 and run.memory is not None and result.status != "interrupted":
        return result  # no better than the run before: scikit-learn ends with the last epoch's
    return replace(result, theta=trainer.watch.best_theta.copy())


def _one_epoch(trainer: Trainer, callbacks: Sequence[Any]) -> Result:
    status = "max_iter"
    try:
        with graceful(trainer.stop):
            trainer.run_epoch()
        progress = Progress(
            objective=trainer.objective,
            theta=trainer.theta,
            epoch=1,
            max_epochs=1,
            history=trainer.history,
            solver=trainer.rule.kind,
            trainer=trainer,
        )
        Callbacks(callbacks).epoch_ended(progress)
    except KeyboardInterrupt:
        status = "interrupted"
    return _result(trainer, trainer.theta, status, "One epoch.")


def diverged_result(trainer: Trainer, message: str) -> Result:
    """The best epoch's parameters, and a last row of the history that says what happened."""
    trainer.history.append(epoch=trainer.epoch + 1)
    return _result(trainer, trainer.watch.best_theta, "diverged", message)


def _result(trainer: Trainer, theta: np.ndarray, status: str, message: str) -> Result:
    history = trainer.history
    return Result(
        theta=theta.copy(),
        loss=history["loss"][-1] if len(history) else math.nan,
        n_iter=len(history),
        n_evaluations=trainer.step,
        status=status,
        message=message,
        history=history,
        seconds=trainer.seconds,
        trainer=trainer,
    )


def train_full_batch(
    estimator: Any, network: Network, theta0: np.ndarray, rows: Rows, run: Run
) -> Result:
    """One of SciPy's solvers on all rows."""
    options = {"maxfun": estimator.max_fun} if estimator.solver == "lbfgs" else {}
    reporter = loss_reporter(run.loss_parts, run.row_constants, rows.weight)
    result = minimize(
        network.objective,
        rows.X,
        rows.y,
        rows.weight,
        theta0=theta0,
        solver=estimator.solver,
        max_iter=estimator.max_iter,
        tol=float(estimator.tol),
        learning_rate=float(estimator.learning_rate_init),
        validation=run.validation,
        n_iter_no_change=None
        if run.validation is None or math.isinf(estimator.n_iter_no_change)
        else int(estimator.n_iter_no_change),
        callbacks=[*([] if reporter is None else [reporter]), *run.callbacks],
        progress_bar=estimator.progress_bar,
        options=options | run.options,
        checkpoint=run.kept,
    )
    if reporter is not None:
        loss = network.objective(result.theta, rows.X, rows.y, rows.weight)[0]
        loss = reporter.reported(network.objective, result.theta, loss)
        result = replace(result, loss=loss)
    return result


def train(estimator: Any, network: Network, theta0: np.ndarray, rows: Rows, run: Run) -> Result:
    """θ by the solver that the estimator names.

    Raises
    ------
    DivergedError
        When loss or gradient is no longer finite and there is no validation to fall back on.
    """
    method = train_mini_batches if is_mini_batch(estimator) else train_full_batch
    try:
        result = method(estimator, network, theta0, rows, run)
    except NumericalError as error:
        raise diverged(error) from error
    if not np.all(np.isfinite(result.theta)):
        raise diverged(NumericalError("a parameter is not finite after the last step"))
    if not (run.one_epoch and is_mini_batch(estimator)) or result.status == "interrupted":
        say_how_it_ended(estimator, result)
    return result


def diverged(error: NumericalError) -> DivergedError:
    """The error in scikit-learn's words, then in ours."""
    return DivergedError(
        "Solver produced non-finite parameter weights. The input data may contain large values "
        f"and need to be preprocessed. {error}",
        step=error.step,
        layer=error.layer,
        cause=error.cause,
    )


def say_how_it_ended(estimator: Any, result: Result) -> None:
    """Warn where training did not converge; with ``verbose`` print why it stopped."""
    if result.status == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=5)
    elif result.status == "diverged":
        warnings.warn(
            f"Training diverged; the parameters of the best epoch are kept. {result.message}",
            ConvergenceWarning,
            stacklevel=5,
        )
    elif result.status == "max_iter" and is_mini_batch(estimator):
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
            "optimization hasn't converged yet. Raise max_iter or the learning rate, or scale the "
            f"data: {chapter('learning')}.",
            ConvergenceWarning,
            stacklevel=5,
        )
    elif result.status in ("max_iter", "failed"):
        warnings.warn(
            f"{estimator.solver} failed to converge after {result.n_iter} iterations: "
            f"{result.message} Increase the number of iterations (max_iter) or scale the "
            f"data: {chapter('packing')}.",
            ConvergenceWarning,
            stacklevel=5,
        )
    elif estimator.verbose and result.status == "converged":
        print(f"{result.message} Stopping.")
