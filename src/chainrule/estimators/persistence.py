"""Estimators in files: a network and its parameters, nothing that could run.

    arrays      every parameter of the network by name: W1, b1, …
    header      "estimator"   the name of its class
                "params"      its options
                "network"     the graph
                "classes"     the classes, for a classifier
                "attributes"  what else the fit left: column names, losses, counts
                "history"     the epochs
                "memory"      counters of the update rule, its schedule and early stopping; their
                              vectors, as long as all parameters together, are the arrays
                              "memory mean", "memory square", "memory velocity"
                "encoder"     what a table's columns become, for the estimators of tables

Loading builds the graph from its description and makes the estimator by its options. A file may
have no memory: ``partial_fit`` then goes on with a rule that starts afresh.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import FileFormatError, WrongTypeError, describe
from chainrule.estimators.base import NetworkEstimator
from chainrule.estimators.memory import PREFIX, Memory
from chainrule.estimators.mlp_classifier import MLPClassifier
from chainrule.estimators.mlp_regressor import MLPRegressor
from chainrule.estimators.network import Network
from chainrule.estimators.one_vs_all import OneVsAllClassifier
from chainrule.estimators.plain import array_from_plain, array_to_plain, from_plain, to_plain
from chainrule.estimators.realmlp_classifier import RealMLPClassifier
from chainrule.estimators.realmlp_regressor import RealMLPRegressor
from chainrule.estimators.softmax_classifier import SoftmaxClassifier
from chainrule.estimators.targets import Labels
from chainrule.files import making_sense_of, read_model, write_model
from chainrule.training import History

FORMAT = 2
"""Of what is written. Format 1 had no memory; it is still read."""

READABLE = (1, 2)

ESTIMATORS: dict[str, type[NetworkEstimator]] = {
    one.__name__: one
    for one in (
        MLPClassifier,
        MLPRegressor,
        OneVsAllClassifier,
        RealMLPClassifier,
        RealMLPRegressor,
        SoftmaxClassifier,
    )
}

ATTRIBUTES = (
    "n_features_in_",
    "feature_names_in_",
    "n_iter_",
    "n_outputs_",
    "out_activation_",
    "training_status_",
    "loss_",
    "best_loss_",
    "loss_curve_",
    "validation_scores_",
    "best_validation_score_",
    "t_",
    "best_epoch_",
    "temperature_",
    "target_center_",
    "target_scale_",
    "target_range_",
)


def save(
    model: NetworkEstimator,
    path: str | os.PathLike[str],
    notes: Mapping[str, Any] | None = None,
    *,
    memory: bool = True,
) -> None:
    """Write a fitted estimator to a model file, atomically.

    Parameters
    ----------
    model : estimator
    path : path-like
        The file to create or to replace; by custom ``.safetensors``.
    notes : mapping of str to plain data, optional
        What else the header should hold; ``chainrule.files.read_model`` gives it back.
    memory : bool, default=True
        Keep what the update rule of a mini-batch solver remembers, so that ``partial_fit`` and
        ``warm_start`` go on to the same bits. Without it a file of "adam" is a third the size.

    Raises
    ------
    NotFittedError
        When there is nothing to save yet.
    WrongTypeError
        When an option is not plain data: a function, a callback, a random generator.
    """
    name = type(model).__name__
    if ESTIMATORS.get(name) is not type(model):
        raise WrongTypeError(describe("save", f"one of {', '.join(ESTIMATORS)}", name))
    check_is_fitted(model)
    params = model.get_params(deep=False).items()
    kept = {key: getattr(model, key) for key in ATTRIBUTES if hasattr(model, key)}
    header: dict[str, Any] = {
        "estimator": name,
        "estimator_format": FORMAT,
        "params": {
            key: to_plain(f"save: option {key!r}", value)
            for key, value in params
            if key != "checkpoint"  # a folder of this machine, to which a loaded model is no heir
        },
        "network": model._network.to_dict(),
        "attributes": {key: to_plain(f"save: {key}", value) for key, value in kept.items()},
        "history": model.history_.to_dict(nan=None),
    }
    header |= model._stored()
    labels = getattr(model, "_labels", None)
    if labels is not None:
        header["classes"] = {
            "values": array_to_plain("save: classes_", labels.classes),
            "kind": labels.kind,
            "sparse": labels.sparse,
        }
    arrays = {name: np.ascontiguousarray(value) for name, value in model.parameters_.items()}
    remembered: Memory | None = getattr(model, "_memory", None)
    if memory and remembered is not None:
        vectors, numbers = remembered.to_file()
        arrays |= vectors
        header["memory"] = to_plain("save: memory", numbers)
    write_model(path, arrays, dict(notes or {}) | header)


def load(path: str | os.PathLike[str]) -> Any:
    """The estimator in a model file; it predicts to the same bits. Runs nothing from the file.

    Raises
    ------
    FileFormatError
        When the file is damaged, or is not an estimator's.
    OSError
        When it cannot be opened.
    """
    arrays, header = read_model(path)
    with making_sense_of(path, "an estimator"):
        return _restored(arrays, header)


def _restored(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> NetworkEstimator:
    version, name = header.get("estimator_format"), header.get("estimator")
    if version not in READABLE or not isinstance(name, str) or name not in ESTIMATORS:
        raise FileFormatError(
            f"{name!r} of format {version!r}; known are {', '.join(ESTIMATORS)} of formats "
            f"{', '.join(map(str, READABLE))}"
        )
    params = {key: from_plain(value) for key, value in header["params"].items()}
    model = ESTIMATORS[header["estimator"]](**params)
    model._check_parameters()
    for name, value in header["attributes"].items():
        if name not in ATTRIBUTES:
            raise FileFormatError(f"the attribute {name!r} is unknown here")
        setattr(model, name, from_plain(value))
    model.history_ = History(header["history"])
    network = Network.from_dict(header["network"])
    _restore_classes(model, network, header)
    model._restore(header, network)
    vectors = {name: arrays.pop(name) for name in list(arrays) if name.startswith(PREFIX)}
    theta = _theta(network, arrays)
    if vectors or "memory" in header:
        numbers = from_plain(header["memory"])
        model._memory = Memory.from_file(vectors, numbers, theta)
    model._install(network, theta)
    return model


def _theta(network: Network, arrays: dict[str, np.ndarray]) -> np.ndarray:
    kinds = {array.dtype for array in arrays.values()}
    if len(kinds) != 1 or kinds.pop() not in (np.float32, np.float64):
        raise FileFormatError("expected parameters of one precision, float32 or float64")
    dtype = next(iter(arrays.values())).dtype
    return network.objective.pack(arrays).astype(dtype)


def _restore_classes(model: Any, network: Network, header: dict[str, Any]) -> None:
    if "classes" not in header:
        if hasattr(type(model), "_multilabel"):
            raise FileFormatError("the classes of a classifier are missing")
        return
    stored = header["classes"]
    labels = Labels(array_from_plain(stored["values"]), str(stored["kind"]), bool(stored["sparse"]))
    outputs = network.scores.shape[1]
    if labels.kind not in ("binary", "multiclass", "multilabel") or labels.outputs != outputs:
        raise FileFormatError(
            f"{len(labels.classes)} classes ({labels.kind}) for {outputs} outputs"
        )
    model._labels, model.classes_ = labels, labels.classes
