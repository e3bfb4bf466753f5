"""Every picture, drawn from models that were really trained: for the page and for the tests."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

import chainrule as cr
from chainrule import pictures


@cache
def digits() -> Any:
    data = cr.load_digits()
    return data.X_train / 16, data.y_train, data.X_test / 16, data.y_test


@cache
def moons() -> tuple[np.ndarray, np.ndarray]:
    """Two half rings that reach into each other, with noise."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, 240)
    upper = np.arange(240) % 2 == 0
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    X[~upper] = [1.0, 0.5] - X[~upper]
    return X + rng.normal(scale=0.17, size=X.shape), np.where(upper, "upper", "lower")


@cache
def wave() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, size=(200, 2))
    return X, np.sin(2 * X[:, 0]) + 0.5 * X[:, 1] + rng.normal(scale=0.1, size=200)


def _fit(model: Any, X: Any, y: Any, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **more)


@cache
def network() -> Any:
    X, y, X_test, y_test = digits()
    model = cr.MLPClassifier((20,), "tanh", solver="adam", max_iter=25, random_state=0)
    return _fit(model, X, y, validation_data=(X_test, y_test))


@cache
def softmax() -> Any:
    X, y, *_ = digits()
    return _fit(cr.SoftmaxClassifier(solver="cg", max_iter=60), X, y)


@cache
def watched() -> tuple[Any, Any, Any]:
    """A small network on the moons, the path of its parameters, and its histograms."""
    path, seen = cr.ParameterPath(), cr.LayerHistograms()
    options = {"solver": "adam", "learning_rate_init": 0.02, "alpha": 0.01, "random_state": 3}
    model = cr.MLPClassifier((8, 6), "relu", max_iter=80, callbacks=[path, seen], **options)
    return _fit(model, *moons()), path, seen


@cache
def regression() -> Any:
    options = {"solver": "cg", "max_iter": 300, "random_state": 0}
    return _fit(cr.MLPRegressor(hidden_layer_sizes=(16,), activation="tanh", **options), *wave())


@cache
def rates() -> Any:
    X, y, *_ = digits()
    return cr.MLPClassifier((20,), random_state=0).find_learning_rate(X, y)


def misclassified(ax: Any) -> Any:
    _, _, X, y = digits()
    p = softmax().predict_proba(X)
    return pictures.plot_misclassified(X, y, p.argmax(axis=1), ax, confidence=p.max(axis=1))


def held_back_probabilities() -> np.ndarray:
    return softmax().predict_proba(digits()[2])


CALLS: dict[str, Any] = {
    "loss": lambda ax: pictures.plot_loss({"tanh": network(), "softmax": softmax()}, ax),
    "score": lambda ax: pictures.plot_score(network(), ax),
    "learning_rates": lambda ax: pictures.plot_learning_rates(rates(), ax),
    "weights": lambda ax: pictures.plot_weights(softmax().coef_.T, ax, labels=list("0123456789")),
    "layer": lambda ax: pictures.plot_layer(network(), ax, layer=2, units=range(10)),
    "confusion": lambda ax: pictures.plot_confusion(
        digits()[3], softmax().predict(digits()[2]), ax
    ),
    "misclassified": misclassified,
    "worst": lambda ax: pictures.plot_worst(
        digits()[3], held_back_probabilities(), ax, classes=range(10)
    ),
    "calibration": lambda ax: pictures.plot_calibration(digits()[3], held_back_probabilities(), ax),
    "activations": lambda ax: pictures.plot_activations(ax=ax),
    "decision_boundary": lambda ax: pictures.plot_decision_boundary(watched()[0], *moons(), ax),
    "predictions": lambda ax: pictures.plot_predictions(
        wave()[1], regression().predict(wave()[0]), ax
    ),
    "loss_surface": lambda ax: pictures.plot_loss_surface(
        watched()[0], *moons(), ax, path=watched()[1]
    ),
    "histograms": lambda ax: pictures.plot_histograms(watched()[2], ax),
    "network": lambda ax: pictures.plot_network(watched()[0], ax, inputs=["x", "y"]),
    "neuron": lambda ax: pictures.plot_neuron([0.5, -1.5, 1.0], 0.25, [1.0, 0.5, 2.0], ax),
}
"""A picture of each kind, drawn on the Axes given."""

MORE: dict[str, Any] = {
    "network of digits": lambda ax: pictures.plot_network(network(), ax),
    "layer 1 of digits": lambda ax: pictures.plot_layer(network(), ax),
    "loss surface, random": lambda ax: pictures.plot_loss_surface(
        watched()[0], *moons(), ax, random_state=1
    ),
    "gradients": lambda ax: pictures.plot_histograms(watched()[2], ax, what="gradients"),
    "decision of a regression": lambda ax: pictures.plot_decision_boundary(
        regression(), *wave(), ax
    ),
    "worst values": lambda ax: pictures.plot_worst(
        wave()[1], regression().predict(wave()[0]), ax, limit=8
    ),
    "all activations": lambda ax: pictures.plot_activations(
        ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish"], ax
    ),
}
"""Others that are worth looking at."""
