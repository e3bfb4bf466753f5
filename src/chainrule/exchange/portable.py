"""A fitted model as every target reads it: one graph, its parameters, and what the output means.

What an estimator does after its network (two columns for two classes, shares that sum to 1) is
said here in nodes of the same graph, so that no target has to know of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import WrongTypeError, describe
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    RealMLPClassifier,
    RealMLPRegressor,
    SoftmaxClassifier,
)
from chainrule.estimators.targets import Labels
from chainrule.graph import FUNCTIONS, Graph, Node
from chainrule.graph.node import Input
from chainrule.networks.realmlp import Features
from chainrule.ops import ROWS
from chainrule.tables import ColumnEncoder

__all__ = ["Portable", "network_inputs", "portable"]


@dataclass(frozen=True)
class Portable:
    """What is exported.

    Attributes
    ----------
    title : str
        The estimator's name.
    scores : Node
        What the network computes, before softmax and sigmoid.
    output : Node
        Probabilities (rows, classes), or values as ``predict`` gives them.
    parameters : dict of str to ndarray
    dtype : numpy dtype
        Of the parameters, and of the inputs that are not codes.
    labels : Labels or None
        Of a classifier.
    columns : tuple of str or None
        Names of the columns of "x", where they are known.
    encoder : ColumnEncoder or None
        What makes the inputs from a table.
    features : Features or None
        Which input reads which of the encoder's features.
    """

    title: str
    scores: Node
    output: Node
    parameters: dict[str, np.ndarray]
    dtype: np.dtype
    labels: Labels | None = None
    columns: tuple[str, ...] | None = None
    encoder: ColumnEncoder | None = None
    features: Features | None = None

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What the network reads, in order of first use."""
        return Graph(self.scores).inputs

    @property
    def sizes(self) -> str:
        """Columns of the input, of each matrix, of the output: "64 → 20 → 10"."""
        first = [" and ".join(str(node.shape[1]) for node in self.inputs)]
        matrices = [p for p in Graph(self.scores).parameters if len(p.shape) == 2]
        return " → ".join([*first, *(str(p.shape[1]) for p in matrices if p.label[0] == "W")])


def portable(model: Any, dtype: Any = None) -> Portable:
    """What there is to export of a fitted estimator.

    Parameters
    ----------
    model : estimator
    dtype : "float32", "float64" or None
        The precision to export in. None: the model's own.

    Raises
    ------
    NotFittedError
        When there is nothing to export yet.
    WrongTypeError
        When ``model`` is not an estimator of chainrule.
    """
    kind = next((one for one in KINDS if isinstance(model, one)), None)
    if kind is None:
        names = ", ".join(one.__name__ for one in KINDS)
        raise WrongTypeError(describe("export", f"one of {names}", type(model).__name__))
    check_is_fitted(model)
    values = model.parameters_
    own = next(iter(values.values())).dtype
    wanted = own if dtype is None else np.dtype(dtype)
    columns = getattr(model, "feature_names_in_", None)
    network = model._network
    return Portable(
        title=type(model).__name__,
        scores=network.scores,
        output=KINDS[kind](model, network.output),
        parameters={name: value.astype(wanted) for name, value in values.items()},
        dtype=wanted,
        labels=getattr(model, "_labels", None),
        columns=None if columns is None else tuple(map(str, columns)),
        encoder=getattr(model, "encoder_", None),
        features=model._features() if hasattr(model, "encoder_") else None,
    )


def network_inputs(model: Any, X: Any) -> dict[str, np.ndarray]:
    """What the network of a fitted table model reads for the rows of ``X``, by input.

    In the order in which a module of PyTorch or a file of NumPy takes them.
    """
    taken = portable(model)
    if taken.encoder is None or taken.features is None:
        raise WrongTypeError(describe("network_inputs", "a model of tables", taken.title))
    encoded = taken.encoder.encode(X)
    found = taken.features.inputs(encoded.dense, encoded.codes)
    return {str(node.name): found[str(node.name)] for node in taken.inputs}


def _probabilities(model: Any, output: Node) -> Node:
    """p, or (1 − p, p) where the network gives that of the second class."""
    if model._labels.kind != "binary":
        return output
    return FUNCTIONS["concatenate"]([1.0 - output, output], axis=1, name="probabilities")


def _shares(model: Any, output: Node) -> Node:
    """p_k / Σ_j p_j of sigmoids; 0 where all of them are 0."""
    if model._labels.kind != "multiclass":
        return _probabilities(model, output)
    total = FUNCTIONS["sum"](output, axis=1, keepdims=True)
    smallest = float(np.finfo(np.float32).tiny)
    return FUNCTIONS["divide"](output, FUNCTIONS["maximum"](total, smallest), name="probabilities")


def _values(model: Any, output: Node) -> Node:
    """One value a row, or a row of them."""
    if output.shape[1] != 1:
        return output
    return FUNCTIONS["reshape"](output, (ROWS,), name="prediction")


def _values_of_table(model: Any, output: Node) -> Node:
    """Values in the target's own unit, within its range where the model keeps to it."""
    scale, center = model.target_scale_.tolist(), model.target_center_.tolist()
    values = output * np.array(scale) + np.array(center)
    limits = model.prediction_limits
    if limits is not None:
        low, high = limits
        values = FUNCTIONS["maximum"](values, low)
        values = FUNCTIONS["negate"](FUNCTIONS["maximum"](FUNCTIONS["negate"](values), -high))
    return _values(model, values)


KINDS: dict[type, Callable[[Any, Node], Node]] = {
    OneVsAllClassifier: _shares,
    SoftmaxClassifier: _probabilities,
    MLPClassifier: _probabilities,
    MLPRegressor: _values,
    RealMLPClassifier: lambda model, output: output,
    RealMLPRegressor: _values_of_table,
}
"""How each estimator goes from its network's output to what it says."""
