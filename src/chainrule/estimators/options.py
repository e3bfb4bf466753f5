"""What the options that several estimators share may be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from chainrule.errors import OptionError
from chainrule.estimators.constraints import (
    Constraint,
    array_like,
    flag,
    function,
    infinity,
    instance_of,
    integer,
    none,
    one_of,
    real,
    seed,
    verbosity,
)
from chainrule.estimators.network import Hidden, glorot_gain
from chainrule.estimators.rules import FULL_BATCH, MINI_BATCH, RATES, is_mini_batch
from chainrule.networks import ACTIVATIONS
from chainrule.training import Schedule, Update

COMMON: dict[str, Constraint] = {
    "solver": one_of(*FULL_BATCH, *MINI_BATCH)
    | instance_of("an update rule such as Adam(0.001)", Update),
    "alpha": real("[)", 0),
    "batch_size": one_of("auto") | integer(1),
    "learning_rate": one_of(*RATES) | instance_of("a schedule such as Cosine()", Schedule),
    "learning_rate_init": real("()", 0),
    "power_t": real("[)", 0),
    "max_iter": integer(1),
    "shuffle": flag,
    "random_state": seed,
    "tol": real("[)", 0),
    "verbose": verbosity,
    "warm_start": flag,
    "momentum": real("[]", 0, 1),
    "nesterovs_momentum": flag,
    "early_stopping": flag,
    "validation_fraction": real("[)", 0, 1),
    "beta_1": real("[)", 0, 1),
    "beta_2": real("[)", 0, 1),
    "epsilon": real("()", 0),
    "n_iter_no_change": integer(1) | infinity,
    "max_fun": integer(1),
    "weight_decay": real("[)", 0),
    "grad_clip_norm": real("()", 0) | none,
    "validation_data": instance_of("a pair (X, y)", tuple, list) | none,
    "scoring": instance_of("a str", str) | function | none,
    "callbacks": instance_of("a list of callbacks", list, tuple) | none,
    "progress_bar": flag | none,
    "n_threads": integer(1) | none,
    "dtype": one_of("float32", "float64") | none,
    "checkpoint": instance_of("a folder", str, os.PathLike) | none,
    "checkpoint_every": integer(1),
}
"""Of every estimator: how it is trained."""

CLASSES: dict[str, Constraint] = {
    "class_weight": one_of("balanced") | instance_of("a dict", dict) | array_like | none,
    "label_smoothing": real("[)", 0, 1),
}
"""Of classifiers."""

HIDDEN: dict[str, Constraint] = {
    "hidden_layer_sizes": array_like | integer(1),
    "activation": one_of("logistic", *ACTIVATIONS) | function | array_like,
    "dropout": real("[)", 0, 1) | array_like,
    "layers": instance_of("a list of layers", list, tuple) | function | none,
}
"""Of estimators with hidden layers."""


def hidden_layers(estimator: Any) -> Hidden:
    """The hidden layers that an estimator's options describe.

    Raises
    ------
    OptionError
        When sizes, activations and dropout rates do not fit together.
    """
    if estimator.layers is not None:
        return Hidden(layers=estimator.layers)
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if any(not isinstance(size, Integral) for size in sizes):
        raise OptionError(f"hidden_layer_sizes must be integers, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise OptionError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    rates = _one_a_layer("dropout", estimator.dropout, len(sizes))
    if any(rates) and not is_mini_batch(estimator):
        raise OptionError(
            f"dropout needs a mini-batch solver ({', '.join(MINI_BATCH)}); "
            f"solver={estimator.solver!r} sees all rows in every step"
        )
    return Hidden(
        sizes=tuple(int(size) for size in sizes),
        activations=_one_a_layer("activation", estimator.activation, len(sizes)),
        dropout=rates,
        start=glorot_gain(estimator.activation),
    )


def _one_a_layer(option: str, value: Any, layers: int) -> tuple[Any, ...]:
    several = isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)
    values: tuple[Any, ...] = tuple(value) if several else (value,) * layers
    if len(values) != layers:
        raise OptionError(
            f"{option}: expected one value or one for each of the {layers} hidden layers; "
            f"came {len(values)}."
        )
    if option == "dropout":
        for rate in values:
            if not 0 <= rate < 1:
                raise OptionError(f"dropout must be in the range [0, 1), got {rate!r}.")
    return values
