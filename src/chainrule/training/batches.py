"""Mini-batch training to the end: epochs, validation, early stopping, callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.training.callbacks import Callback
from chainrule.training.objective import Objective
from chainrule.training.result import Result
from chainrule.training.trainer import Trainer


def minimize_batches(
    objective: Objective,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    theta0: np.ndarray,
    callbacks: Sequence[Callback | Callable[..., Any]] = (),
    progress_bar: bool | None = None,
    **trainer_options: Any,
) -> Result:
    """θ that makes J(θ) small, from θ₀, by up to ``max_epochs`` passes over batches of rows.

    ``trainer_options`` are ``Trainer``'s: ``update``, ``schedule``, ``batch_size``,
    ``max_epochs``, ``seed``, ``validation``, … ; ``callbacks`` and ``progress_bar`` are
    ``minimize``'s. With a ``validation`` the result holds the parameters of the best epoch.
    """
    raise NotImplementedError


def run_to_end(
    trainer: Trainer,
    *,
    callbacks: Sequence[Callback | Callable[..., Any]] = (),
    progress_bar: bool | None = None,
) -> Result:
    """Epoch after epoch until ``max_epochs``, no improvement, a callback or Ctrl-C ends it."""
    raise NotImplementedError
