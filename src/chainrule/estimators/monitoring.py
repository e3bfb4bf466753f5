"""Watching a fit: scores on rows held back, printed epochs, scikit-learn's callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer, r2_score
from sklearn.model_selection import train_test_split

from chainrule.errors import DataError
from chainrule.estimators.network import Network
from chainrule.estimators.sklearn_callbacks import Bridge
from chainrule.estimators.targets import Labels
from chainrule.graph.node import Apply, Target
from chainrule.training import Callback, Progress, Validation


@dataclass(frozen=True)
class HeldOut:
    """Rows that are not trained on.

    Attributes
    ----------
    X : ndarray or CSR matrix
    y : ndarray
        As the loss reads it.
    encoded : ndarray
        Numbers of the classes, or the values.
    told : ndarray
        As a scorer reads it: labels and values as people gave them.
    weight : ndarray or None
    seen : table, optional
        The rows as ``predict`` takes them, for scorers; default: X.
    """

    X: Any
    y: np.ndarray
    encoded: np.ndarray
    told: Any
    weight: np.ndarray | None = None
    seen: Any = None


def split_rows(
    rows: int,
    fraction: float,
    random_state: np.random.RandomState,
    stratify: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the rows to train on and to hold back; scikit-learn's draws.

    Raises
    ------
    DataError
        When fewer than two rows would be held back.
    """
    train, held = train_test_split(
        np.arange(rows), random_state=random_state, test_size=fraction, stratify=stratify
    )
    if len(held) < 2:
        raise DataError(
            "The validation set is too small. Increase 'validation_fraction' "
            "or the size of your dataset."
        )
    return np.asarray(train), np.asarray(held)


class Determination:
    """R² of predictions of the same targets: 1 − Σ w (y − p)² / Σ w (y − ȳ)², mean over outputs.

    What the targets alone say is computed once; scikit-learn's ``r2_score`` where there is one row.

    Parameters
    ----------
    y : ndarray of shape (rows,) or (rows, outputs)
    weight : ndarray of shape (rows,), optional
    """

    def __init__(self, y: np.ndarray, weight: np.ndarray | None) -> None:
        self.y, self.weight = y, weight
        self.truth = np.asarray(y, np.float64).reshape(len(y), -1)
        self.spread = self._sums(self.truth - np.average(self.truth, axis=0, weights=weight))

    def __call__(self, predicted: np.ndarray) -> float:
        if len(self.truth) < 2:
            return float(r2_score(self.y, predicted, sample_weight=self.weight))
        missed = self._sums(self.truth - predicted.reshape(self.truth.shape))
        share = np.divide(missed, self.spread, out=(missed > 0) * 1.0, where=self.spread > 0)
        return float(1 - share.mean())

    def _sums(self, differences: np.ndarray) -> np.ndarray:
        weight = np.ones(len(differences)) if self.weight is None else self.weight
        return weight @ differences**2


class Judge:
    """``judge(theta)``: score and loss on the rows held back.

    Parameters
    ----------
    network : Network
    held : HeldOut
    labels : Labels or None
        None for values rather than classes.
    scoring : str, callable or None
        scikit-learn's name of a scorer or a scorer; None: accuracy, or R² for values.
    twin : callable
        A fitted estimator that has θ; scorers look at it.
    by_loss : bool
        Without a scorer the score is the negative loss.
    limits : ndarray of shape (2, outputs), optional
        Least and greatest value that is predicted, as the loss reads them; R² is of values within.
    """

    def __init__(
        self,
        network: Network,
        held: HeldOut,
        labels: Labels | None,
        scoring: Any,
        twin: Callable[[np.ndarray], Any],
        *,
        by_loss: bool = False,
        limits: np.ndarray | None = None,
    ) -> None:
        self.network = network
        self.held = held
        self.labels = labels
        self.scorer = None if scoring is None else get_scorer(scoring)
        self.twin = twin
        self.by_loss = by_loss
        self.limits = limits

    def __call__(self, theta: np.ndarray) -> Validation:
        scores = self.network.forward(theta, self.held.X)
        loss = self._loss(theta, scores)
        if self.by_loss and self.scorer is None:
            return Validation(-loss, loss)
        return Validation(self._score(theta, scores), loss)

    def _score(self, theta: np.ndarray, scores: np.ndarray) -> float:
        held = self.held
        if not np.all(np.isfinite(scores)):
            return math.nan
        if self.scorer is not None:
            weight = {} if held.weight is None else {"sample_weight": held.weight}
            seen = held.X if held.seen is None else held.seen
            return float(self.scorer(self.twin(theta), seen, held.told, **weight))
        if self.labels is not None:
            right = self.labels.same_as(scores, held.encoded)
            return float(np.average(right, weights=held.weight))
        predicted = self.network.activate(scores).reshape(held.y.shape)
        if not np.all(np.isfinite(predicted)):
            return math.nan
        if self.limits is not None:
            predicted = predicted.clip(*self.limits)
        with np.errstate(over="ignore"):  # far off is a very bad score, no reason to warn
            return self._determination(predicted)

    @cached_property
    def _determination(self) -> Determination:
        return Determination(self.held.y, self.held.weight)

    def _loss(self, theta: np.ndarray, scores: np.ndarray) -> float:
        """Mean loss of a row; straight from the scores where the loss is one operation."""
        loss, held = self.network.row_loss, self.held
        if isinstance(loss, Apply) and self._reads_scores_and_target(loss):
            with np.errstate(all="ignore"):
                losses = np.asarray(loss.forward(scores, held.y), dtype=np.float64)
            return float(np.average(losses, weights=held.weight))
        sums = self.network.objective.sums(theta, held.X, held.y, held.weight)
        return sums.loss / sums.weight

    def _reads_scores_and_target(self, loss: Apply) -> bool:
        first, *others = loss.inputs
        return first is self.network.scores and [type(one) for one in others] == [Target]


class Monitor(Callback):
    """Writes score and loss of each epoch into the history; stops nothing."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def on_epoch_end(self, progress: Progress) -> None:
        said = self.judge(progress.theta)
        progress.history["validation_score"][-1] = said.score
        progress.history["validation_loss"][-1] = said.loss


class Printer(Callback):
    """``verbose``: prints each epoch as scikit-learn does."""

    def on_epoch_end(self, progress: Progress) -> None:
        row = progress.history[-1]
        print(f"Iteration {progress.epoch}, loss = {row['loss']:.8f}")
        if not math.isnan(row["validation_score"]):
            print(f"Validation score: {row['validation_score']:f}")


def watchers(
    estimator: Any, network: Network, judge: Judge | None, context: Any, X: Any, y: Any
) -> list[Any]:
    """The callbacks of a fit: scores of rows held back, printing, scikit-learn's, the user's."""
    callbacks: list[Any] = [] if judge is None else [Monitor(judge)]
    if estimator.verbose:
        callbacks.append(Printer())
    if context is not None:
        attributes = estimator._with_theta(network)
        callbacks.append(Bridge(context, estimator, X, y, lambda theta: vars(attributes(theta))))
    return [*callbacks, *(estimator.callbacks or ())]
