"""The models that the commands train and check: the ladder, or the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.cli.options import ModelName, ModelOptions, Solver
from chainrule.cli.sources import Source
from chainrule.errors import OptionError, describe
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    SoftmaxClassifier,
)

LADDER: tuple[tuple[ModelName, tuple[int, ...]], ...] = (
    (ModelName.ONE_VS_ALL, ()),
    (ModelName.SOFTMAX, ()),
    (ModelName.MLP, (20,)),
    (ModelName.MLP, (20, 20)),
)
HIDDEN = (20,)
ACTIVATION = "sigmoid"
BATCH_SIZE = 200


@dataclass(frozen=True)
class Rung:
    """A model not yet made: its estimator depends on how many rows it will see.

    Attributes
    ----------
    name : str
        "one-vs-all", "softmax", or the sizes of the layers: "64-20-10".
    kind : ModelName
    hidden : tuple of int
    choice : ModelOptions
    solver : Solver
    batch_size : int
    regression : bool
    """

    name: str
    kind: ModelName
    hidden: tuple[int, ...]
    choice: ModelOptions
    solver: Solver = Solver.CG
    batch_size: int = BATCH_SIZE
    regression: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def make(self, rows: int, **more: Any) -> Any:
        """The estimator for so many rows of training data.

        ``choice.alpha`` is λ for every model. A perceptron's own ``alpha`` is divided by the rows
        of a step, as in scikit-learn, so it is multiplied by them here.
        """
        common = {
            "solver": str(self.solver),
            "random_state": self.choice.seed,
            "progress_bar": False,
            **more,
        }
        if not self.solver.is_full_batch:
            common["batch_size"] = min(self.batch_size, rows)
        if self.kind is ModelName.ONE_VS_ALL:
            return OneVsAllClassifier(alpha=self.choice.alpha, **common)
        if self.kind is ModelName.SOFTMAX:
            return SoftmaxClassifier(alpha=self.choice.alpha, **common)
        perceptron = MLPRegressor if self.regression else MLPClassifier
        return perceptron(
            hidden_layer_sizes=self.hidden,
            activation=self.choice.activation or ACTIVATION,
            alpha=self.choice.alpha * common.get("batch_size", rows),
            **common,
        )


def choose_rungs(
    source: Source,
    choice: ModelOptions,
    solver: Solver = Solver.CG,
    batch_size: int | None = None,
    *,
    ladder: bool = False,
) -> list[Rung]:
    """The ladder where it is wanted and no model is named; else the one model."""
    if ladder and not choice.names_a_model:
        chosen = list(LADDER)
    else:
        chosen = [_chosen(choice, source)]
    return [
        Rung(
            name=_name(kind, hidden, source),
            kind=kind,
            hidden=hidden,
            choice=choice,
            solver=solver,
            batch_size=batch_size or BATCH_SIZE,
            regression=source.is_regression,
        )
        for kind, hidden in chosen
    ]


def _chosen(choice: ModelOptions, source: Source) -> tuple[ModelName, tuple[int, ...]]:
    kind = choice.model or ModelName.MLP
    if kind is ModelName.MLP:
        return kind, choice.hidden or HIDDEN
    for option, value in (("--hidden", choice.hidden), ("--activation", choice.activation)):
        if value is not None:
            came = f"it with --model {kind}"
            raise OptionError(describe(option, "--model mlp, which has hidden layers", came))
    if source.is_regression:
        came = f"numbers that are not whole in {source.target!r}"
        raise OptionError(
            describe(f"--model {kind}", "classes to predict", came, "Use --model mlp.")
        )
    return kind, ()


def _name(kind: ModelName, hidden: tuple[int, ...], source: Source) -> str:
    if kind is not ModelName.MLP:
        return str(kind)
    data = source.data
    classes = 1 if source.is_regression else len(np.unique(data.y_train))
    outputs = 1 if classes == 2 else classes
    return "-".join(map(str, (data.n_features, *hidden, outputs)))


def rows_to_check(y: np.ndarray, count: int, *, classes: bool) -> np.ndarray:
    """Numbers of ``count`` rows, in order, every class among them as long as they suffice."""
    if not classes:
        return np.arange(min(count, len(y)))
    _, first = np.unique(y, return_index=True)
    others = np.setdiff1d(np.arange(len(y)), first)
    wanted = max(count, len(first))
    return np.sort(np.concatenate([first, others])[:wanted])
