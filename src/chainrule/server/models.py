"""An estimator in the playground: its options as settings, its weights there and back.

The page learns on points scaled to [−5, 5]² (and, for regression, labels scaled to [−1, 1]). The
scaling is folded into the first (and last) layer both ways, so what the page shows is what the
model computes on its own X.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from chainrule.errors import DataError, describe
from chainrule.networks import ACTIVATIONS
from chainrule.server.network import Network
from chainrule.server.points import Points
from chainrule.server.session import Own
from chainrule.server.settings import MAX_LAYERS, MAX_UNITS, REGRESSION_LOSSES
from chainrule.server.tables import points_of_arrays

SOLVERS = {"cg": "cg", "lbfgs": "l-bfgs", "adam": "adam", "adamw": "adamw", "rmsprop": "rmsprop"}
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
    """

    model: Any
    X: np.ndarray
    y: np.ndarray
    points: Points
    settings: dict[str, Any]
    theta: np.ndarray | None

    @property
    def own(self) -> Own:
        """The points as a session takes them."""
        return Own("X, y", self.points)

    def read_back(self, network: Network, theta: np.ndarray) -> Any:
        """The model with the page's weights; its class, sizes and outputs must be the model's."""
        weights, biases = unscaled(layers_of(network, theta), self.points)
        model = self.model
        if not is_fitted(model):
            # one iteration makes everything beside the weights: classes, history, sizes
            quiet = {"max_iter": model.max_iter}
            model.set_params(max_iter=1).fit(self.X, self.y)
            model.set_params(**quiet)
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
    """``model`` on X (rows, 2) and y, or the points alone where ``model`` is None.

    Raises
    ------
    DataError
        When X has not two columns, or the model has what the page cannot show.
    """
    if X is None or y is None:
        raise DataError(describe("playground", "X and y beside the model", "none"))
    names = getattr(X, "columns", ("x1", "x2"))
    X, y = np.asarray(X), np.asarray(y)
    axes = (str(names[0]), str(names[1])) if len(names) == 2 else ("x1", "x2")
    classes = is_classifier(model) if model is not None else None
    points = points_of_arrays(X, y, axes, classes=classes)
    if model is None:
        return Wrapped(None, X, y, points, {"dataset": "own"}, None)
    settings = settings_of(model, points)
    theta = None
    if is_fitted(model):
        theta = np.concatenate(
            [one.ravel() for pair in scaled(*stored_weights(model), points) for one in pair]
        )
    return Wrapped(model, X, y, points, settings, theta)


def settings_of(model: Any, points: Points) -> dict[str, Any]:
    """The options of an estimator in the page's names."""
    options = model.get_params(deep=False)
    if options.get("layers") is not None or np.any(np.asarray(options.get("dropout", 0.0)) != 0):
        expected = "dense layers without dropout"
        raise DataError(describe(type(model).__name__, expected, "others"))
    sizes = [int(n) for n in np.atleast_1d(options.get("hidden_layer_sizes", ()))]
    if len(sizes) > MAX_LAYERS or any(n > MAX_UNITS for n in sizes):
        expected = f"at most {MAX_LAYERS} layers of {MAX_UNITS}"
        raise DataError(describe("hidden_layer_sizes", expected, sizes))
    activation = options.get("activation", "tanh")
    activation = ACTIVATION_NAMES.get(activation, activation)
    if activation not in ACTIVATIONS:
        raise DataError(describe("activation", f"one of {', '.join(ACTIVATIONS)}", activation))
    seed = options.get("random_state")
    rows = len(points.X)
    batch = options.get("batch_size", "auto")
    batch = min(200, rows) if batch == "auto" else min(int(batch), rows)
    settings: dict[str, Any] = {
        "dataset": "own",
        "features": ["x1", "x2"],
        "hidden_layer_sizes": sizes,
        "activations": [activation] * len(sizes),
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
    if sizes:  # a multi-layer perceptron's alpha is shared among the rows of a batch
        alpha /= rows if settings["solver"] in ("cg", "l-bfgs") else batch
    return {**settings, "regularization": "l2" if alpha else "none", "strength": min(alpha, 100.0)}


def _solver(options: Mapping[str, Any]) -> str:
    solver = options.get("solver", "lbfgs")
    if solver == "sgd":
        if not options.get("momentum"):
            return "sgd"
        return "nesterov" if options.get("nesterovs_momentum") else "momentum"
    if solver not in SOLVERS:
        raise DataError(describe("solver", f"one of {', '.join(SOLVERS)}, sgd", solver))
    return SOLVERS[solver]


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
