"""OneVsAllClassifier: one logistic classifier a class."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from chainrule.errors import OptionError
from chainrule.estimators.linear import LinearClassifier
from chainrule.estimators.monitoring import HeldOut
from chainrule.estimators.network import Head, NamedLoss, Network, make_network
from chainrule.estimators.rules import is_mini_batch
from chainrule.estimators.sklearn_callbacks import Bridge
from chainrule.estimators.solving import Rows, Run
from chainrule.estimators.targets import one_column_a_class, smooth
from chainrule.ops import ROWS
from chainrule.training import History, Result
from chainrule.training.checkpoints import Checkpoints
from chainrule.training.rows import PartitionedRows


class OneVsAllClassifier(LinearClassifier):
    """One sigmoid a class, each told apart from all others; the highest score wins.

    J_k(w, b) = Σ_i w_i · (−log of the probability that g(wᵀx_i + b) gives [y_i = k]) / Σ_i w_i
    + λ · ((1 − r)/2 · ‖w‖² + r · Σ|w|) for each class k, independently; λ = ``alpha``,
    r = ``l1_ratio``; intercepts are not penalised.

    The same minimum as ``OneVsRestClassifier(LogisticRegression(C=1 / (Σ w_i · alpha)))``.
    Full-batch solvers make one run a class; mini-batch solvers train all in one run, whose
    ``n_iter_`` is repeated. Two classes need one sigmoid only.

    Options that are not named here are ``MLPClassifier``'s.

    Parameters
    ----------
    alpha : float, default=0.0001
        Strength λ of the penalty.
    l1_ratio : float, default=0.0
        Share r of L1 in it. With solver "lbfgs" weights become exactly 0.
    solver : str or update rule, default="lbfgs"
        Over all rows "lbfgs", "cg", "newton-cg", "bfgs", "tnc", "gd"; over mini-batches "sgd",
        "adam", "adamw", "rmsprop", "nesterov" or an update rule.
    fit_intercept : bool, default=True
        Whether there is a b.
    max_iter : int, default=1000
        Iterations at most for each class, or epochs.
    tol : float, default=1e-4
        Largest entry of the gradient at the end; over mini-batches what counts as an improvement.
    class_weight : dict, "balanced" or None, default=None
        Weights of the rows of each class, the same in all K problems.
    label_smoothing : float, default=0.0
        ε: targets become (1 − ε) t + ε / 2.

    Attributes
    ----------
    classes_ : ndarray
    coef_ : ndarray of shape (classes, columns), (1, columns) for two classes
    intercept_ : ndarray of shape (classes,), (1,) for two classes
    n_iter_ : ndarray of int
        Iterations for each class.
    loss_, loss_curve_, history_, training_status_, network_, parameters_
        As ``MLPClassifier`` has them; losses are sums over the classes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from chainrule import OneVsAllClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = OneVsAllClassifier(alpha=1e-3, solver="cg").fit(X / 16, y)
    >>> model.n_iter_.shape
    (10,)
    """

    n_iter_: Any

    @property
    def _tasks(self) -> int | None:
        return self.max_iter if is_mini_batch(self) else None  # one run a class, none seen yet

    def _head(self) -> Head:
        return replace(self._sigmoid_head(), start="zeros", bias=self.fit_intercept)

    def _for_loss(self, encoded: np.ndarray) -> np.ndarray:
        if self._labels.kind == "multiclass":
            encoded = one_column_a_class(encoded, self.classes_)
        return smooth(encoded, self.label_smoothing)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The sigmoid of each class divided by their sum, (rows, classes)."""
        p = super().predict_proba(X)
        if self._labels.kind == "multiclass":
            total = p.sum(axis=1, keepdims=True)
            np.divide(p, total, out=p, where=total != 0)
        return p

    def _hold_back(self, rows: Rows, *arguments: Any) -> tuple[Rows, HeldOut | None, bool]:
        kept, held, stops = super()._hold_back(rows, *arguments)
        if held is not None and not self._in_one_run:
            raise OptionError(
                f"validation_data needs a mini-batch solver here: with solver={self.solver!r} "
                "each class is a training of its own"
            )
        return kept, held, stops

    @property
    def _in_one_run(self) -> bool:
        return self._labels.kind == "binary" or is_mini_batch(self)

    # one run a class ---------------------------------------------------------------------

    def _train(self, network: Network, theta0: np.ndarray, rows: Rows, run: Run) -> Result:
        # rows in partitions are not divided by class; the sum has the same minimum
        if self._in_one_run or isinstance(rows.X, PartitionedRows):
            return super()._train(network, theta0, rows, run)
        theta, results = theta0.copy(), []
        for k, problem in enumerate(self._problems(network, theta0, rows)):
            # listeners see all classes: those that are done, this one, the others as they start
            together = partial(_with_class, network, theta, k)
            callbacks = [
                one.seen_through(together) if isinstance(one, Bridge) else one
                for one in run.callbacks
            ]
            with self._kept_of_class(run, k) as kept:
                own = replace(run, callbacks=callbacks, kept=kept)
                results.append(super()._train(*problem, own))
            theta = together(results[-1].theta)
            if results[-1].status == "interrupted":
                break
        return _joined(theta, results, len(self.classes_))

    def _kept_of_class(self, run: Run, k: int) -> AbstractContextManager[Checkpoints | None]:
        """The checkpoints of one class's own training, in a folder of its own."""
        return nullcontext() if run.kept is None else run.kept.inside(f"class{k}").opened()

    def _problems(
        self, network: Network, theta0: np.ndarray, rows: Rows
    ) -> list[tuple[Network, np.ndarray, Rows]]:
        """Network, start and rows of each class's own problem."""
        loss = NamedLoss("binary_cross_entropy_with_logits")
        head = Head(1, "logistic", loss, (ROWS,), start="zeros", bias=self.fit_intercept)
        l2, l1 = self._strengths(1.0)
        single = make_network(rows.X.shape[1], self._hidden(True), head, l2=l2, l1=l1)
        values = network.objective.unpack(theta0)
        problems = []
        for k in range(len(self.classes_)):
            column = {name: value[..., k : k + 1] for name, value in values.items()}
            start = single.objective.pack(column).astype(theta0.dtype)
            problems.append((single, start, replace(rows, y=np.ascontiguousarray(rows.y[:, k]))))
        return problems

    def _keep(self, network: Network, result: Result, first: bool) -> None:
        super()._keep(network, result, first)
        outputs = self._labels.outputs
        if np.ndim(self.n_iter_) == 0:
            self.n_iter_ = np.full(outputs, self.n_iter_, dtype=np.int32)


def _with_class(network: Network, theta: np.ndarray, k: int, own: np.ndarray) -> np.ndarray:
    """θ of all classes with ``own``, the θ of class k, in its place."""
    theta, position = theta.copy(), 0
    for value in network.objective.unpack(theta).values():
        column = value[..., k]
        column[...] = own[position : position + column.size].reshape(column.shape)
        position += column.size
    return theta


def _joined(theta: np.ndarray, results: list[Result], classes: int) -> Result:
    """The runs of all classes as one result: losses added up, the worst end."""
    n_iter = np.zeros(classes, dtype=np.int32)
    n_iter[: len(results)] = [one.n_iter for one in results]
    order = ("interrupted", "failed", "max_iter", "callback", "converged")
    worst = min(results, key=lambda one: order.index(one.status))
    return replace(
        results[0],
        theta=theta,
        loss=float(sum(one.loss for one in results)),
        n_iter=n_iter,  # type: ignore[arg-type]  # one a class
        n_evaluations=sum(one.n_evaluations for one in results),
        status=worst.status,
        message=worst.message,
        history=_joined_history([one.history for one in results]),
        seconds=sum(one.seconds for one in results),
    )


def _joined_history(histories: list[History]) -> History:
    """Iteration by iteration the sum over classes; one that has ended keeps its last values."""
    joined = History()
    for i in range(max(map(len, histories))):
        rows = [history[min(i, len(history) - 1)] for history in histories if len(history)]
        joined.append(
            epoch=i + 1,
            loss=math.fsum(row["loss"] for row in rows),
            gradient_norm=math.hypot(*(row["gradient_norm"] for row in rows)),
            seconds=math.fsum(row["seconds"] for row in rows),
        )
    return joined
