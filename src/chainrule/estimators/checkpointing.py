"""Checkpoints of a fit: its options by name, its data, and the random generator it draws from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.errors import OptionError, WrongTypeError, describe
from chainrule.estimators.plain import to_plain
from chainrule.tables import Table
from chainrule.training.checkpoints import Checkpoints, State
from chainrule.training.identity import describe_data

FREE = (
    "callbacks",
    "checkpoint",
    "checkpoint_every",
    "max_iter",
    "max_time",
    "n_threads",
    "progress_bar",
    "random_state",
    "validation_data",
    "verbose",
    "warm_start",
)
"""Options that a fit may go on with otherwise; the training itself compares what it must."""


@contextmanager
def checkpoints_of(estimator: Any, *, incremental: bool) -> Iterator[Checkpoints | None]:
    """The checkpoints that ``estimator`` asks for, or None; ``partial_fit`` has none.

    Raises
    ------
    CheckpointError
        When there is one of other options.
    """
    if estimator.checkpoint is None or incremental:
        yield None
        return
    if getattr(estimator, "warm_start", False):
        expected = "warm_start=False: a fit goes on from one place"
        raise OptionError(describe("checkpoint", expected, "warm_start=True"))
    kept = Checkpoints(estimator.checkpoint, estimator.checkpoint_every)
    with kept.opened():
        options = estimator.get_params(deep=False).items()
        told = {name: _told(value) for name, value in options if name not in FREE}
        kept.same("options", {"estimator": type(estimator).__name__, **told})
        yield kept


def note_data(
    kept: Checkpoints | None, X: Any, target: Any, weight: Any, classes: Any, held: Any
) -> None:
    """Refuse to go on with other data than the checkpoint is of."""
    if kept is None:
        return
    inputs = _columns(X) if isinstance(X, Table) else {"X": X}
    described = describe_data(inputs, target=target, sample_weight=weight, classes=classes)
    if held is not None:
        described |= describe_data({"of validation_data": held[0]}, validation_target=held[1])
    kept.same("data", described)


def random_state_from(
    kept: Checkpoints | None, random_state: np.random.RandomState
) -> np.random.RandomState:
    """``random_state``, put back to where it stood when the training that goes on began."""
    if kept is None:
        return random_state
    if kept.found is None:
        kept.start = generator_state(random_state)
        return random_state
    if random_state is np.random.mtrand._rand:  # NumPy's own, which is not ours to put back
        random_state = np.random.RandomState()
    with kept.reading():
        load_generator(random_state, kept.start)
    return random_state


def generator_state(random_state: np.random.RandomState) -> State:
    """Where a generator stands, as arrays and numbers."""
    state: Any = random_state.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise OptionError(
            describe(
                "random_state",
                "a generator of the kind MT19937 where there is a checkpoint",
                state["bit_generator"],
                "Give an integer.",
            )
        )
    numbers = {
        "pos": int(state["state"]["pos"]),
        "has_gauss": int(state["has_gauss"]),
        "gauss": float(state["gauss"]),
    }
    return {"arrays": {"key": np.array(state["state"]["key"], np.uint32)}, "numbers": numbers}


def load_generator(random_state: np.random.RandomState, state: State) -> None:
    """Put a generator to where ``generator_state`` found it."""
    key, numbers = state["arrays"]["key"], state["numbers"]
    pos = numbers["pos"]
    # NumPy would read beyond the key
    if key.shape != (624,) or key.dtype != np.uint32 or type(pos) is not int or not 0 <= pos <= 624:
        raise OptionError("state of the random generator: expected 624 words and a place in them")
    gauss = (int(bool(numbers["has_gauss"])), float(numbers["gauss"]))
    random_state.set_state(("MT19937", key, pos, *gauss))


def _columns(table: Table) -> dict[str, np.ndarray]:
    """The columns of a table as arrays: values or codes, and the texts that codes stand for."""
    found = {repr(name): table[name].values for name in table}
    levels = {name: np.array(table[name].levels) for name in table if table[name].levels}
    return found | {f"levels of {name!r}": array for name, array in levels.items()}


def _told(value: Any) -> Any:
    """An option as JSON holds it; functions and other objects by their name."""
    try:
        return to_plain("", value)
    except WrongTypeError:
        named = value if hasattr(value, "__qualname__") else type(value)
        return f"{named.__module__}.{named.__qualname__}"
