"""Callbacks: what training calls as it goes."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import WrongTypeError, describe
from chainrule.training.history import History
from chainrule.training.rows import Rows


@dataclass
class Progress:
    """Where training stands, as a callback sees it.

    Attributes
    ----------
    objective : Objective
    theta : ndarray of shape (parameters,)
        The parameters now: a view that cannot be written to; copy it to keep it.
    epoch : int
        Epochs or iterations made.
    max_epochs : int
        How many there will be at most.
    history : History
        ``history[-1]`` is the epoch that has just ended.
    solver : str
        "cg", "adam", …
    trainer : Trainer or None
        Mini-batch training: the state of everything.
    rows : Rows or None
        What is trained on, where training shows it.
    """

    objective: Any
    theta: np.ndarray
    epoch: int
    max_epochs: int
    history: History
    solver: str
    trainer: Any = None
    rows: Rows | None = None


class Callback(ABC):  # noqa: B024 - a subclass defines the hooks it wants
    """Something called as training goes; every hook is optional."""

    def on_train_begin(self, progress: Progress) -> None:  # noqa: B027
        """Called before the first epoch."""

    def on_epoch_end(self, progress: Progress) -> bool | None:  # noqa: B027
        """Called after each epoch or iteration; ``True`` asks training to stop."""

    def on_train_end(self, progress: Progress) -> None:  # noqa: B027
        """Called once at the end, however training ended: by an error, too."""


def check_callback(one: Any) -> None:
    """Refuse what cannot be called after an epoch; a class must be called to make a callback.

    Raises
    ------
    WrongTypeError
    """
    if isinstance(one, type):
        came, remedy = f"the class {one.__name__}", f"Make one of it: {one.__name__}(…)."
    elif isinstance(one, Callback) or callable(one):
        return
    else:
        came, remedy = f"{one!r} ({type(one).__name__})", ""
    raise WrongTypeError(
        describe("callbacks", "functions of a Progress, or Callback objects", came, remedy)
    )


class Callbacks:
    """Several callbacks as one; a plain function counts as an ``on_epoch_end``."""

    def __init__(self, callbacks: Sequence[Any]) -> None:
        for one in callbacks:
            check_callback(one)
        self.callbacks = tuple(callbacks)

    def begin(self, progress: Progress) -> None:
        """Tell all that training begins."""
        for one in self.callbacks:
            if isinstance(one, Callback):
                one.on_train_begin(progress)

    def epoch_ended(self, progress: Progress) -> bool:
        """Tell all that an epoch has ended; whether any of them asks to stop."""
        stops = [
            one.on_epoch_end(progress) if isinstance(one, Callback) else one(progress)
            for one in self.callbacks
        ]
        return any(bool(stop) for stop in stops)

    def end(self, progress: Progress) -> None:
        """Tell all that training has ended."""
        for one in self.callbacks:
            if isinstance(one, Callback):
                one.on_train_end(progress)
