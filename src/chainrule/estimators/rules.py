"""From options to rules: which solver, how a step is made, how the rate changes, in which order."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import OptionError
from chainrule.estimators.checkpointing import generator_state, load_generator
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
from chainrule.training.checkpoints import State

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
    """The rows in a new order every epoch: scikit-learn's draws, one shuffle upon the last.

    Every call gives the same array, shuffled once more for a new epoch.
    """

    def __init__(self, rows: int, random_state: np.random.RandomState) -> None:
        self.order = np.arange(rows)
        self.random_state = random_state
        self.epoch = -1

    def state_dict(self) -> State:
        """Which order came last, and where the generator of the next stands."""
        state = generator_state(self.random_state)
        arrays = {"order": self.order.copy(), "generator": state["arrays"]["key"]}
        numbers = {"epoch": self.epoch, "generator": state["numbers"]}
        return {"arrays": arrays, "numbers": numbers}

    def load_state_dict(self, state: State) -> None:
        """Go on from what ``state_dict`` gave."""
        arrays, numbers = state["arrays"], state["numbers"]
        order, epoch = arrays["order"], numbers["epoch"]
        rows = len(self.order)
        # rows are looked up by these numbers
        if order.dtype != self.order.dtype or not np.array_equal(np.sort(order), np.arange(rows)):
            raise OptionError(f"state 'order': expected each of {rows} rows once")
        if type(epoch) is not int:
            raise OptionError(f"state 'epoch' of the order: expected an integer, got {epoch!r}")
        generator = {"arrays": {"key": arrays["generator"]}, "numbers": numbers["generator"]}
        load_generator(self.random_state, generator)
        self.order, self.epoch = order.copy(), epoch

    def __call__(self, epoch: int) -> np.ndarray:
        if epoch != self.epoch:
            self.random_state.shuffle(self.order)
            self.epoch = epoch
        return self.order
