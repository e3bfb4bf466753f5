"""From an estimator's options to a training run, and what the run came to.

Full-batch solvers ("lbfgs", "cg", "newton-cg", …) see all rows in every step. Mini-batch solvers
("sgd", "adam", …) go over batches of rows; their random draws come in scikit-learn's order, so
the same seed visits the same rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.errors import NumericalError
from chainrule.estimators.network import Network
from chainrule.training import (
    SCHEDULES,
    SGD,
    SOLVERS,
    Adam,
    AdamW,
    Adaptive,
    Constant,
    InverseScaling,
    Momentum,
    Nesterov,
    Progress,
    Result,
    RMSProp,
    Schedule,
    Trainer,
    Update,
    make_schedule,
    minimize,
    run_to_end,
)
from chainrule.training.callbacks import Callbacks

FULL_BATCH = SOLVERS
MINI_BATCH = ("sgd", "adam", "adamw", "rmsprop", "nesterov")
SKLEARN_RATES = ("constant", "invscaling", "adaptive")
RATES = (*SKLEARN_RATES, *(name for name in SCHEDULES if name not in SKLEARN_RATES))


class DivergedError(NumericalError, ValueError):
    """Training that ran into infinity; a ValueError too, as scikit-learn raises it."""


@dataclass(frozen=True)
class Rows:
    """What a run trains on: rows, targets as the loss reads them, weights or None."""

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
    loss_parts : int
        The loss reported is that of a row divided by this: scikit-learn averages a squared error
        over outputs, though its gradient is that of the sum.
    """

    random_state: np.random.RandomState
    validation: Callable[[np.ndarray], Any] | None = None
    callbacks: Sequence[Any] = ()
    one_epoch: bool = False
    memory: Memory | None = None
    penalty_scale: str = "batch"
    loss_parts: int = 1


@dataclass(frozen=True)
class Memory:
    """What one run hands on to the next.

    Attributes
    ----------
    rule : str
        The update rule's name.
    slots, step
        What the update rule remembers, and how many updates it has made.
    schedule : dict
        What the schedule remembers.
    rows_seen : int
        scikit-learn's ``t_``.
    best, best_theta, no_improvement
        The best loss or score so far, where it was, epochs in a row that were not better.
    scored : bool
        Whether ``best`` is a score.
    """

    rule: str
    slots: tuple[np.ndarray, ...]
    step: int
    schedule: dict[str, Any]
    rows_seen: int
    best: float
    best_theta: np.ndarray
    no_improvement: int
    scored: bool

    @classmethod
    def of(cls, trainer: Trainer) -> Memory:
        """What ``trainer`` knows now."""
        watch = trainer.watch
        return cls(
            trainer.rule.kind,
            trainer.slots,
            trainer.step,
            dict(trainer.memory),
            trainer.rows_seen,
            watch.best,
            watch.best_theta,
            watch.no_improvement,
            watch.score,
        )

    def hand_on(self, trainer: Trainer, *, update_rule: bool) -> None:
        """Let ``trainer`` go on from here; ``update_rule``: with the rule's memory, too."""
        trainer.rows_seen = self.rows_seen
        if self.scored == trainer.watch.score:
            trainer.watch.best = self.best
            trainer.watch.no_improvement = self.no_improvement
            trainer.watch.best_theta[...] = self.best_theta
        if update_rule and self.rule == trainer.rule.kind:
            trainer.state.step = self.step
            trainer.memory = dict(self.schedule)
            for mine, theirs in zip(trainer.slots, self.slots, strict=True):
                mine[...] = theirs


def is_mini_batch(estimator: Any) -> bool:
    """Whether the solver goes over batches of rows."""
    return isinstance(estimator.solver, Update) or estimator.solver in MINI_BATCH


def make_update_rule(estimator: Any) -> Update:
    """The update rule that ``solver`` and its options name."""
    solver, rate = estimator.solver, float(estimator.learning_rate_init)
    if isinstance(solver, Update):
        return solver
    if solver == "sgd" and estimator.momentum == 0:
        return SGD(rate)
    if solver == "nesterov" or (solver == "sgd" and estimator.nesterovs_momentum):
        return Nesterov(rate, estimator.momentum)
    if solver == "sgd":
        return Momentum(rate, estimator.momentum)
    if solver == "rmsprop":
        return RMSProp(rate, epsilon=estimator.epsilon)
    moments = (estimator.beta_1, estimator.beta_2, estimator.epsilon)
    if solver == "adamw":
        return AdamW(rate, *moments, weight_decay=estimator.weight_decay)
    return Adam(rate, *moments)


def make_rate_schedule(estimator: Any) -> Schedule:
    """The schedule that ``learning_rate`` names; scikit-learn's three are for "sgd" and ours."""
    rate = estimator.learning_rate
    if isinstance(rate, Schedule):
        return rate
    if rate == "constant" or (estimator.solver == "adam" and rate in SKLEARN_RATES):
        return Constant()
    if rate == "invscaling":
        return InverseScaling(float(estimator.power_t))
    return Adaptive() if rate == "adaptive" else make_schedule(rate)


class RowOrder:
    """The rows in a new order every epoch: scikit-learn's draws, one shuffle upon the last."""

    def __init__(self, rows: int, random_state: np.random.RandomState) -> None:
        self.order = np.arange(rows)
        self.random_state = random_state
        self.epoch = -1

    def __call__(self, epoch: int) -> np.ndarray:
        if epoch != self.epoch:
            permutation = np.arange(len(self.order))
            self.random_state.shuffle(permutation)
            self.order, self.epoch = self.order[permutation], epoch
        return self.order


class _AveragedLosses:
    """A backend that reports losses of rows divided by ``parts``, and is otherwise the same."""

    def __init__(self, backend: Any, parts: int) -> None:
        self.backend = backend
        self.parts = parts

    def run_batches(self, *arguments: Any, **options: Any) -> Any:
        report = self.backend.run_batches(*arguments, **options)
        return replace(report, losses=report.losses / self.parts)


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
        seed=int(run.random_state.randint(2**31)) if masks else 0,
        order=RowOrder(rows.count, run.random_state) if estimator.shuffle else None,
        penalty_scale=run.penalty_scale,
        clip_norm=estimator.grad_clip_norm,
        tol=float(estimator.tol),
        n_iter_no_change=None if math.isinf(patience) else int(patience),
        validation=run.validation,
        n_threads=estimator.n_threads,
    )
    if run.memory is not None:
        run.memory.hand_on(trainer, update_rule=run.one_epoch)
    if run.loss_parts > 1:
        trainer.backend = _AveragedLosses(trainer.backend, run.loss_parts)  # type: ignore[assignment]
    return trainer


def train_mini_batches(
    estimator: Any, network: Network, theta0: np.ndarray, rows: Rows, run: Run
) -> Result:
    """Epochs of mini-batches until nothing improves, or one epoch."""
    trainer = make_trainer(estimator, network, theta0, rows, run)
    try:
        if run.one_epoch:
            return _one_epoch(trainer, run.callbacks)
        return run_to_end(
            trainer, callbacks=run.callbacks, progress_bar=bool(estimator.progress_bar)
        )
    except NumericalError as error:
        if run.validation is None or trainer.watch.best_epoch == 0:
            raise
        return _diverged(trainer, str(error))


def _one_epoch(trainer: Trainer, callbacks: Sequence[Any]) -> Result:
    status = "max_iter"
    try:
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


def _diverged(trainer: Trainer, message: str) -> Result:
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
    solver = estimator.solver
    result = minimize(
        network.objective,
        rows.X,
        rows.y,
        rows.weight,
        theta0=theta0,
        solver=solver,
        max_iter=estimator.max_iter,
        tol=float(estimator.tol),
        learning_rate=float(estimator.learning_rate_init),
        validation=run.validation,
        n_iter_no_change=None
        if run.validation is None or math.isinf(estimator.n_iter_no_change)
        else int(estimator.n_iter_no_change),
        callbacks=run.callbacks,
        progress_bar=bool(estimator.progress_bar),
        options={"maxfun": estimator.max_fun} if solver == "lbfgs" else None,
    )
    if run.loss_parts > 1:
        penalty = network.objective.penalty_and_gradient(result.theta)[0]
        result = replace(result, loss=(result.loss - penalty) / run.loss_parts + penalty)
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
    if not run.one_epoch or result.status == "interrupted":
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
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=5,
        )
    elif result.status in ("max_iter", "failed"):
        warnings.warn(
            f"{estimator.solver} failed to converge after {result.n_iter} iterations: "
            f"{result.message} Increase the number of iterations (max_iter) or scale the data.",
            ConvergenceWarning,
            stacklevel=5,
        )
    elif estimator.verbose and result.status == "converged":
        print(f"{result.message} Stopping.")
