"""From options to rules: which solver, how a step is made, how the rate changes, in which order."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    RMSProp,
    Schedule,
    Update,
    make_schedule,
)

FULL_BATCH = SOLVERS
MINI_BATCH = ("sgd", "adam", "adamw", "rmsprop", "nesterov")
SKLEARN_RATES = ("constant", "invscaling", "adaptive")
RATES = (*SKLEARN_RATES, *(name for name in SCHEDULES if name not in SKLEARN_RATES))


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
