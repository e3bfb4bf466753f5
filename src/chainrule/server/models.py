"""An estimator in the playground: its options as settings, its weights there and back.

The page learns on points scaled to [−5, 5] (and, for regression, labels scaled to [−1, 1]). The
scaling is folded into the first (and last) layer both ways, so what the page shows is what the
model computes on its own X. A model with layers of its own, where it cannot be folded, reads the
original columns instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn.base import is_classifier

from chainrule.errors import DataError, describe
from chainrule.networks import ACTIVATIONS, Dense, Dropout, sequential
from chainrule.server.network import Network, Stack, build
from chainrule.server.own import Own
from chainrule.server.pairs import telling_columns
from chainrule.server.points import Points
from chainrule.server.settings import (
    FULL_BATCH_SOLVERS,
    MAX_COLUMNS,
    MAX_LAYERS,
    MAX_MODEL_UNITS,
    REGRESSION_LOSSES,
    read_settings,
)
from chainrule.server.tables import points_of_arrays

SOLVERS = ("cg", "lbfgs", "adam", "adamw", "rmsprop")
ACTIVATION_NAMES = {"logistic": "sigmoid"}


@dataclass(frozen=True, eq=False)
class Wrapped:
    """A model and its points as the playground takes them.

    Attributes
    ----------
    settings : dict
        The model's options in the names of the page.
    theta : ndarray or None
        Its weights, if it is fitted, for scaled points.
    stack : callable or None
        Its hidden layers, where the settings cannot describe them.
    """

    model: Any
    X: np.ndarray
    y: np.ndarray
    points: Points
    settings: dict[str, Any]
    theta: np.ndarray | None
    stack: Stack | None = None

    @property
    def own(self) -> Own:
        """The points as a session takes them."""
        return Own("X, y", self.points, stack=self.stack)

    @property
    def most_units(self) -> int:
        """Of its largest hidden layer."""
        return max(self.settings.get("hidden_layer_sizes", ()), default=0)

    def read_back(self, network: Network, theta: np.ndarray) -> Any:
        """The model with the page's weights; its class, sizes and outputs must be the model's."""
        model = self.model
        if not is_fitted(model):
            # one iteration makes everything beside the weights: classes, history, sizes
            quiet = {"max_iter": model.max_iter}
            model.set_params(max_iter=1).fit(self.X, self.y)
            model.set_params(**quiet)
        if network.is_own:
            for name, value in network.objective.unpack(theta).items():
                model.parameters_[name][...] = value
            return model
        weights, biases = unscaled(layers_of(network, theta), self.points)
        shapes = [np.shape(one) for one in stored_weights(model)[0]]
        if [one.shape for one in weights] != shapes:
            remedy = "Undo the change of layers or loss in the page, or read .parameters."
            came = [one.shape for one in weights]
            raise DataError(describe("update_model", f"layers of shapes {shapes}", came, remedy))
        if hasattr(model, "coefs_"):
            model.coefs_, model.intercepts_ = weights, biases
        else:
            model.coef_, model.intercept_ = np.ascontiguousarray(weights[0].T), biases[0]
        return model


def wrap(model: Any, X: Any, y: Any) -> Wrapped:
    """``model`` on X (rows, columns) and y, or the points alone where ``model`` is None.

    Raises
    ------
    DataError
        When the points, or what the model has, cannot be shown.
    """
    if X is None or y is None:
        raise DataError(describe("playground", "X and y beside the model", "none"))
    names = getattr(X, "columns", None)
    X, y = np.asarray(X), np.asarray(y)
    count = X.shape[1] if X.ndim == 2 else 2
    axes = tuple(f"x{i + 1}" for i in range(count)) if names is None else tuple(map(str, names))
    classes = is_classifier(model) if model is not None else None
    points = points_of_arrays(X, y, axes, classes=classes, most_columns=MAX_COLUMNS)
    across, up = telling_columns(points)
    start = {"dataset": "own", "across": across, "up": up}
    if model is None:
        return Wrapped(None, X, y, points, start, None)
    stack = stack_of(model)
    settings = start | settings_of(model, points, stack is not None)
    theta = None
    if is_fitted(model):
        theta = _stored_theta(model, points, settings, stack)
    return Wrapped(model, X, y, points, settings, theta, stack)


def stack_of(model: Any) -> Stack | None:
    """The hidden layers of a model that the settings of the page cannot describe."""
    options = model.get_params(deep=False)
    layers: Any = options.get("layers")
    if callable(layers):
        return cast(Stack, layers)
    if layers is not None:
        return lambda x: sequential(layers, x)
    sizes, activations, rates = _hidden_options(options)
    if len(set(rates)) <= 1 and all(one in ACTIVATIONS for one in activations):
        return None
    described = [
        layer
        for units, activation, rate in zip(sizes, activations, rates, strict=True)
        for layer in (Dense(units, activation), Dropout(rate))
    ]
    return lambda x: sequential(described, x)


def _hidden_options(options: Mapping[str, Any]) -> tuple[list[int], list[Any], list[float]]:
    """Units, activation and dropout rate of each hidden layer."""
    sizes = [int(n) for n in np.atleast_1d(options.get("hidden_layer_sizes", ()))]

    def one_each(value: Any) -> list[Any]:
        several = isinstance(value, (list, tuple, np.ndarray))
        return list(value) if several else [value] * len(sizes)

    names = [
        ACTIVATION_NAMES.get(one, one) if isinstance(one, str) else one
        for one in one_each(options.get("activation", "tanh"))
    ]
    return sizes, names, [float(rate) for rate in one_each(options.get("dropout", 0.0))]


def settings_of(model: Any, points: Points, has_stack: bool = False) -> dict[str, Any]:
    """The options of an estimator in the page's names."""
    options = model.get_params(deep=False)
    sizes, activations, rates = ([], [], []) if has_stack else _hidden_options(options)
    if len(sizes) > MAX_LAYERS or any(n > MAX_MODEL_UNITS for n in sizes):
        expected = f"at most {MAX_LAYERS} layers of {MAX_MODEL_UNITS}"
        remedy = "Watch a smaller model of the same kind."
        raise DataError(describe("hidden_layer_sizes", expected, sizes, remedy))
    seed = options.get("random_state")
    rows = len(points.X)
    batch = options.get("batch_size", "auto")
    batch = min(200, rows) if batch == "auto" else min(int(batch), rows)
    settings: dict[str, Any] = {
        "features": ["x1", "x2"],
        "hidden_layer_sizes": sizes,
        "activations": activations,
        "dropout": min(rates[0], 0.9) if rates else 0.0,
        "seed": int(seed) if isinstance(seed, (int, np.integer)) else 0,
        "batch_size": min(batch, 1000),
        "learning_rate": float(options.get("learning_rate_init", 0.001)),
        "momentum": min(float(options.get("momentum", 0.9)), 0.999),
        "solver": _solver(options),
        "train_percent": 90,
    }
    loss = options.get("loss", "squared_error")
    settings["loss"] = "cross_entropy" if points.is_classification else loss
    if not points.is_classification and loss not in REGRESSION_LOSSES:
        raise DataError(describe("loss", f"one of {', '.join(REGRESSION_LOSSES)}", loss))
    if type(model).__name__ == "OneVsAllClassifier" and len(points.classes) > 2:
        settings["loss"] = "one_vs_all"
    alpha = float(options.get("alpha", 0.0))
    if sizes or has_stack:  # a multi-layer perceptron's alpha is shared among the rows of a batch
        alpha /= rows if settings["solver"] in FULL_BATCH_SOLVERS else batch
    return {**settings, "regularization": "l2" if alpha else "none", "strength": min(alpha, 100.0)}


def _solver(options: Mapping[str, Any]) -> str:
    solver = options.get("solver", "lbfgs")
    if solver == "sgd":
        if not options.get("momentum"):
            return "sgd"
        return "nesterov" if options.get("nesterovs_momentum") else "momentum"
    if solver not in SOLVERS:
        came = f"{solver!r}"
        raise DataError(describe("solver", f"one of {', '.join(SOLVERS)}, sgd", came))
    return solver


def _stored_theta(
    model: Any, points: Points, settings: Mapping[str, Any], stack: Stack | None
) -> np.ndarray:
    """The weights of a fitted model as the network of the page holds them."""
    if stack is not None:
        network = build(read_settings(settings), points, stack)
        return network.objective.pack(model.parameters_)
    layers = scaled(*stored_weights(model), points)
    return np.concatenate([one.ravel() for pair in layers for one in pair])


def is_fitted(model: Any) -> bool:
    """Whether it has weights."""
    return hasattr(model, "coefs_") or hasattr(model, "coef_")


def stored_weights(model: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Its matrices (in, out) and its biases, layer after layer."""
    if hasattr(model, "coefs_"):
        return [np.asarray(W) for W in model.coefs_], [np.asarray(b) for b in model.intercepts_]
    return [np.atleast_2d(model.coef_).T], [np.atleast_1d(model.intercept_)]


def layers_of(network: Network, theta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(W, b) of every layer, in float64."""
    values = network.objective.unpack(np.array(theta, np.float64))
    return [(values[f"W{i}"], values[f"b{i}"]) for i in range(1, len(network.sizes))]


def scaled(
    weights: list[np.ndarray], biases: list[np.ndarray], points: Points
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Layers that compute on scaled points what these compute on the original ones."""
    layers = [
        (np.array(W, np.float64), np.array(b, np.float64))
        for W, b in zip(weights, biases, strict=True)
    ]
    W, b = layers[0]
    layers[0] = W / np.array(points.scale)[:, None], b + np.array(points.offset) @ W
    W, b = layers[-1]
    layers[-1] = W / points.target_scale, (b - points.target_offset) / points.target_scale
    return layers


def unscaled(
    layers: list[tuple[np.ndarray, np.ndarray]], points: Points
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The inverse of ``scaled``: matrices and biases for the original points."""
    layers = list(layers)
    W, b = layers[-1]
    layers[-1] = W * points.target_scale, b * points.target_scale + points.target_offset
    W, b = layers[0]
    W = W * np.array(points.scale)[:, None]
    layers[0] = W, b - np.array(points.offset) @ W
    return [W for W, _ in layers], [b for _, b in layers]
