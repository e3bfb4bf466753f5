"""From scikit-learn's fitted perceptrons and back: the same parameters, the same predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import ExportError, WrongTypeError, describe
from chainrule.estimators import MLPClassifier, MLPRegressor
from chainrule.estimators.targets import Labels
from chainrule.training import History

__all__ = ["from_sklearn", "to_sklearn"]

PAIRS: tuple[tuple[type[Any], type[Any]], ...] = (
    (SklearnClassifier, MLPClassifier),
    (SklearnRegressor, MLPRegressor),
)
ATTRIBUTES = (
    "best_loss_",
    "best_validation_score_",
    "feature_names_in_",
    "loss_",
    "loss_curve_",
    "n_features_in_",
    "n_iter_",
    "n_outputs_",
    "out_activation_",
    "t_",
    "validation_scores_",
)
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")


def from_sklearn(model: Any) -> MLPClassifier | MLPRegressor:
    """The fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn as chainrule's.

    Options, parameters and what the fit left are taken over; what its optimizer remembers is not.

    Raises
    ------
    WrongTypeError
        When it is another estimator.
    """
    ours = next((ours for theirs, ours in PAIRS if type(model) is theirs), None)
    if ours is None:
        expected = "an MLPClassifier or MLPRegressor of scikit-learn"
        raise WrongTypeError(describe("from_sklearn", expected, type(model).__name__))
    check_is_fitted(model)
    twin = ours(**model.get_params(deep=False))
    _copy_attributes(model, twin)
    if ours is MLPClassifier:
        binarizer = model._label_binarizer
        kind = {"multiclass": "multiclass", "multilabel-indicator": "multilabel"}
        labels = Labels(model.classes_, kind.get(binarizer.y_type_, "binary"))
        twin._labels, twin.classes_ = labels, labels.classes
    twin.training_status_ = "max_iter" if model.n_iter_ >= model.max_iter else "converged"
    network = twin._make_network(model.n_features_in_, 1.0, first=True)
    arrays = dict(zip(network.weights, model.coefs_, strict=True))
    arrays |= dict(zip(network.biases, model.intercepts_, strict=True))
    theta = network.objective.pack(arrays).astype(model.coefs_[0].dtype)
    twin._install(network, theta)
    twin.history_ = _history(model)
    return twin


def to_sklearn(model: Any) -> BaseEstimator:
    """The fitted ``MLPClassifier`` or ``MLPRegressor`` as scikit-learn's, ready to predict.

    Raises
    ------
    ExportError
        When scikit-learn's perceptron cannot hold it; names the option.
    """
    theirs = next((theirs for theirs, ours in PAIRS if type(model) is ours), None)
    if theirs is None:
        expected = "an MLPClassifier or MLPRegressor of chainrule"
        raise WrongTypeError(describe("to_sklearn", expected, type(model).__name__))
    check_is_fitted(model)
    options = _sklearn_options(model, theirs)
    twin = theirs(**options)
    _copy_attributes(model, twin)
    twin.coefs_ = [W.copy() for W in model.coefs_]
    twin.intercepts_ = [b.copy() for b in model.intercepts_]
    twin.n_layers_ = model.n_layers_
    if theirs is SklearnClassifier:
        twin.classes_ = model.classes_
        twin._label_binarizer = _binarizer(model._labels)
    return twin


def _sklearn_options(model: Any, theirs: type[Any]) -> dict[str, Any]:
    """The options that both have; refuses those whose effect scikit-learn does not have."""
    params = model.get_params(deep=False)
    activation = params["activation"]
    several = None if isinstance(activation, str) or callable(activation) else list(activation)
    if several is not None:
        activation = several[0] if len(set(map(str, several))) == 1 else several
    activation = "logistic" if activation == "sigmoid" else activation
    if activation not in ACTIVATIONS:
        _refuse("activation", f"one of {', '.join(ACTIVATIONS)} in all layers", activation)
    if params["layers"] is not None:
        _refuse("layers", "None, for hidden_layer_sizes", params["layers"])
    loss = params["loss"]
    known = ("log_loss",) if theirs is SklearnClassifier else ("squared_error", "poisson")
    if loss not in known:
        # what was minimised does not show in a prediction, but in the output's activation
        loss = known[0]
    names = theirs().get_params(deep=False)
    shared = {name: value for name, value in params.items() if name in names}
    solver = params["solver"] if params["solver"] in ("sgd", "adam", "lbfgs") else "adam"
    rate = params["learning_rate"]
    rate = rate if rate in ("constant", "invscaling", "adaptive") else "constant"
    given = {"activation": activation, "solver": solver, "learning_rate": rate}
    given |= {"loss": loss} if "loss" in names else {}
    return shared | given


def _refuse(option: str, expected: str, came: Any) -> None:
    where = f"to_sklearn: {option}"
    raise ExportError(describe(where, expected, repr(came), "Export to ONNX or PyTorch."))


def _copy_attributes(model: Any, twin: Any) -> None:
    for name in ATTRIBUTES:
        if hasattr(model, name):
            setattr(twin, name, getattr(model, name))


def _history(model: Any) -> History:
    history = History()
    scores = getattr(model, "validation_scores_", None) or []
    for epoch, loss in enumerate(getattr(model, "loss_curve_", []), start=1):
        score = {"validation_score": scores[epoch - 1]} if epoch <= len(scores) else {}
        history.append(epoch=epoch, loss=float(loss), **score)
    return history


def _binarizer(labels: Labels) -> LabelBinarizer:
    """As scikit-learn's own fit leaves it."""
    if labels.kind == "multilabel":
        table = np.eye(2, len(labels.classes), dtype=int)
        return LabelBinarizer().fit(table)
    return LabelBinarizer().fit(labels.classes)
