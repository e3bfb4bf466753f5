"""How a RealMLP is trained: the numbers of its recipe, its trainer, and a time budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from chainrule.networks.realmlp import RealMLP
from chainrule.tables import ColumnEncoder
from chainrule.training import Adam, AdamW, Callback, Objective, Progress, Trainer

ROWS_TO_START_FROM = 2048
"""Rows that weights and biases start from."""


@dataclass(frozen=True)
class TrainingPreset:
    """The numbers of a recipe beside those of its network.

    Attributes
    ----------
    learning_rate, weight_decay : float
    clamp : bool
        Whether predicted values stay within those of training.
    max_one_hot : int
        The largest cardinality that becomes one-hot.
    clip_norm : float or None
        What a gradient's norm is cut to.
    """

    learning_rate: float
    weight_decay: float
    clamp: bool
    max_one_hot: int
    clip_norm: float | None = None


TRAINING_PRESETS: dict[tuple[str, str], TrainingPreset] = {
    ("td", "classification"): TrainingPreset(0.04, 0.02, True, 9),
    ("td", "regression"): TrainingPreset(0.2, 0.02, True, 9),
    # one-hot for all in the recipe; beyond hundreds of levels they would fill the memory
    ("td-s", "classification"): TrainingPreset(0.04, 0.0, False, 512),
    ("td-s", "regression"): TrainingPreset(0.07, 0.0, False, 512),
}
"""By name and task."""

LEAST_MISSING = 10
"""In how many training rows a number must be missing before that is a feature."""

AUTO_BATCHES = ((1024, 64), (8192, 128), (30_000, 256), (100_000, 512))


def column_encoder(preset: TrainingPreset, types: Mapping[str, str] | None) -> ColumnEncoder:
    """The encoder of a recipe's columns."""
    return ColumnEncoder(types=types, max_one_hot=preset.max_one_hot, least_missing=LEAST_MISSING)


def batch_size_for(batch_size: int | str, rows: int) -> int:
    """Rows of a batch; "auto" grows with the rows."""
    if batch_size == "auto":
        fitting = (size for most, size in AUTO_BATCHES if rows <= most)
        batch_size = next(fitting, 1024)
    return min(int(batch_size), rows)


def first_theta(
    network: RealMLP,
    objective: Objective,
    inputs: Mapping[str, np.ndarray],
    random_state: np.random.RandomState,
) -> np.ndarray:
    """θ where training starts, from rows drawn among ``inputs``; in float32."""
    rows = len(next(iter(inputs.values())))
    some = random_state.permutation(rows)[:ROWS_TO_START_FROM]
    values = network.initial({name: one[some] for name, one in inputs.items()}, random_state)
    return objective.pack(values).astype(np.float32)


def make_trainer(
    network: RealMLP,
    objective: Objective,
    rows: tuple[Any, np.ndarray, np.ndarray | None],
    *,
    theta0: np.ndarray,
    preset: TrainingPreset,
    batch_size: int,
    n_epochs: int,
    n_iter_no_change: int | None,
    validation: Any,
    seed: int,
    n_threads: int | None,
) -> Trainer:
    """The recipe's trainer: Adam(0.9, 0.95), coslog4, decay and dropout along flat_cos."""
    moments, weight_decay = (preset.learning_rate, 0.9, 0.95, 1e-8), preset.weight_decay
    return Trainer(
        objective,
        *rows,
        theta0=theta0,
        update=AdamW(*moments, weight_decay=weight_decay) if weight_decay else Adam(*moments),
        schedule="coslog4",
        decay_schedule="flat_cos",
        dropout_schedule="flat_cos",
        batch_size=batch_size,
        max_epochs=n_epochs,
        seed=seed,
        rate_factors=network.rate_factors(),
        decay_factors=network.decay_factors(),
        clip_norm=preset.clip_norm,
        drop_last=True,
        tol=0.0,
        n_iter_no_change=n_iter_no_change,
        validation=validation,
        ties="last",
        n_threads=n_threads,
    )


class TimeBudget(Callback):
    """As many epochs as fit into the time: the trainer's ``max_epochs`` follows their speed.

    The schedules run over what is planned, so that the rate has come down when the time is up.

    Parameters
    ----------
    seconds : float
        From ``begin`` on.
    begin : float
        A reading of ``perf_counter``.
    """

    def __init__(self, seconds: float, begin: float) -> None:
        self.seconds = seconds
        self.begin = begin
        self.wanted = 0

    def on_train_begin(self, progress: Progress) -> None:
        """Note how many epochs there would be, and when the first begins."""
        self.wanted = progress.max_epochs
        self._first, self._done = perf_counter(), progress.epoch

    def on_epoch_end(self, progress: Progress) -> None:
        """Plan as many epochs as fit into what is left."""
        now = perf_counter()
        each = (now - self._first) / (progress.epoch - self._done)
        left = max(0, int((self.begin + self.seconds - now) / each))
        progress.max_epochs = min(self.wanted, progress.epoch + left)
        progress.trainer.max_epochs = progress.max_epochs
