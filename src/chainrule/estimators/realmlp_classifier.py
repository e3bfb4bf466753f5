"""RealMLPClassifier: classes from the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin

from chainrule.estimators.calibration import find_temperature
from chainrule.estimators.class_weights import with_class_weights
from chainrule.estimators.constraints import Constraint, flag, one_of, real
from chainrule.estimators.monitoring import HeldOut
from chainrule.estimators.network import Network
from chainrule.estimators.options import CLASSES
from chainrule.estimators.realmlp import OPTIONS, RealMLPEstimator
from chainrule.estimators.table_rows import TableRows
from chainrule.estimators.targets import Labels, find_labels
from chainrule.graph import FUNCTIONS, Node

SMOOTHING = 0.1
"""What label smoothing is where accuracy is what counts."""


class RealMLPClassifier(ClassifierMixin, RealMLPEstimator):
    """Classifier for tables of any columns, with defaults that need no tuning: RealMLP-TD.

    Columns are encoded (``ColumnEncoder``), numbers get learnt waves beside them, and three hidden
    layers in NTK form with parametric activations are trained for a fixed number of epochs with
    Adam. Of all epochs the parameters that validated best are kept, and one temperature makes
    their probabilities honest.

    Parameters
    ----------
    preset : {"td", "td-s"}, default="td"
        "td": the full recipe. "td-s": the simple one, no waves, parametric activations or dropout,
        one-hot for all categories (up to 512).
    hidden_layer_sizes : array-like of int, default=(256, 256, 256)
    activation : str or None, default=None
        None: "selu".
    n_epochs : int, default=256
        The length of the run; the learning rate falls and rises in four cycles over it.
    batch_size : int or "auto", default=256
        "auto": 64 up to 1024 rows, 128 up to 8192, 256 up to 30 000, 512 up to 100 000, else 1024.
    learning_rate_init : float or None, default=None
        None: 0.04.
    weight_decay : float or None, default=None
        None: 0.02, of "td-s" 0.
    dropout : float or None, default=None
        None: 0.15, of "td-s" 0.
    label_smoothing : float or "auto", default="auto"
        "auto": 0.1, and 0 where ``scoring`` is other than accuracy.
    class_weight : dict, "balanced" or None, default=None
    calibrate : bool, default=True
        Divide the scores by one temperature, found on the validation rows.
    types : mapping of str to str or None, default=None
        What columns are, where that should not be inferred; see ``ColumnEncoder``.
    validation_fraction : float, default=0.2
        Share of the rows that are validated on; 0: the last epoch is kept.
    n_iter_no_change : int or None, default=None
        Stop after so many epochs without a better score. The recipe does not.
    max_time : float or None, default=None
        Seconds that a fit may take: as many epochs are planned as fit in.
    scoring : str, callable or None, default=None
        scikit-learn's scorer that decides which epoch is the best; None: accuracy.
    callbacks : list or None, default=None
        Called after each epoch with a ``Progress``; one that returns True stops training.
    progress_bar : bool or None, default=False
        None: on a terminal, where it takes more than a second.
    verbose : bool or int, default=False
        Print each epoch.
    random_state : int, RandomState or None, default=None
    n_threads : int or None, default=None
        Of the compiled engine; the result does not depend on it.
    checkpoint : path or None, default=None
        A folder in which the state of training is kept; where it holds one, ``fit`` goes on from
        it.
    checkpoint_every : int, default=10
        Epochs from one checkpoint to the next.

    Attributes
    ----------
    classes_ : ndarray
    encoder_ : ColumnEncoder
        ``encoder_.summary()`` says what each column was taken for.
    temperature_ : float
        What the scores were divided by; it is part of the last layer.
    n_iter_, best_epoch_ : int
        Epochs made, and the one whose parameters are kept.
    loss_, loss_curve_ : float, list of float
        Of the best epoch, and of each.
    validation_scores_, best_validation_score_ : list of float or None, float or None
    history_ : History
        One row an epoch.
    training_status_ : str
        Why training ended: "max_epochs", "max_time", "converged", "interrupted", "callback", …
    n_features_in_, feature_names_in_ : int, ndarray
    network_ : Graph
    parameters_ : dict of str to ndarray

    References
    ----------
    Holzmüller, Grinsztajn, Steinwart, "Better by default", NeurIPS 2024.

    Examples
    --------
    >>> from chainrule import RealMLPClassifier
    >>> table = {"height": [1.1, 1.9, 1.2, 1.8] * 20, "town": ["Ulm", "Bonn", None, "Bonn"] * 20}
    >>> model = RealMLPClassifier(n_epochs=32, random_state=0).fit(table, [0, 1, 0, 1] * 20)
    >>> model.predict({"height": [1.15, None], "town": ["Ulm", "Bonn"]}).tolist()
    [0, 1]
    """

    _task = "classification"
    _labels: Labels
    _multilabel = False
    _constraints: ClassVar[dict[str, Constraint]] = {
        **OPTIONS,
        "class_weight": CLASSES["class_weight"],
        "label_smoothing": one_of("auto") | real("[)", 0, 1),
        "calibrate": flag,
    }
    classes_: np.ndarray

    def __init__(
        self,
        preset: str = "td",
        *,
        hidden_layer_sizes: Any = (256, 256, 256),
        activation: str | None = None,
        n_epochs: int = 256,
        batch_size: Any = 256,
        learning_rate_init: float | None = None,
        weight_decay: float | None = None,
        dropout: float | None = None,
        label_smoothing: Any = "auto",
        class_weight: Any = None,
        calibrate: bool = True,
        types: Mapping[str, str] | None = None,
        validation_fraction: float = 0.2,
        n_iter_no_change: int | None = None,
        max_time: float | None = None,
        scoring: Any = None,
        callbacks: Any = None,
        progress_bar: bool | None = False,
        verbose: Any = False,
        random_state: Any = None,
        n_threads: int | None = None,
        checkpoint: Any = None,
        checkpoint_every: int = 10,
    ) -> None:
        self.preset = preset
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.types = types
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.max_time = max_time
        self.scoring = scoring
        self.callbacks = callbacks
        self.progress_bar = progress_bar
        self.verbose = verbose
        self.random_state = random_state
        self.n_threads = n_threads
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    # targets -----------------------------------------------------------------------------

    def _targets(self, y: Any) -> np.ndarray:
        # the recipe has a score for each class, also where there are two
        self._labels = replace(
            find_labels(type(self).__name__, y, multilabel=False), kind="multiclass"
        )
        self.classes_ = self._labels.classes
        return self._labels.encode(y)

    def _targets_again(self, y: Any) -> np.ndarray:
        return self._labels.encode(y)

    def _learn_target(self, rows: TableRows) -> None:
        self.n_outputs_ = self._labels.outputs

    def _for_loss(self, y: np.ndarray) -> np.ndarray:
        return y

    def _told(self, y: np.ndarray) -> np.ndarray:
        return self.classes_[y]

    def _outputs(self) -> int:
        return self._labels.outputs

    def _weights_of(self, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
        return with_class_weights(self.class_weight, y, weight)

    def _smoothing(self) -> float:
        if self.label_smoothing == "auto":
            return SMOOTHING if self.scoring in (None, "accuracy") else 0.0
        return float(self.label_smoothing)

    def _loss_and_output(self, scores: Node) -> tuple[Node, Node]:
        loss = FUNCTIONS["softmax_cross_entropy"](
            scores, self._target_leaf(int), label_smoothing=self._smoothing(), name="loss"
        )
        return loss, FUNCTIONS["softmax"](scores, name="output")

    def _judge_options(self) -> dict[str, Any]:
        return {"labels": self._labels}

    def _calibrated(self, network: Network, theta: np.ndarray, held: HeldOut | None) -> np.ndarray:
        self.temperature_ = 1.0
        if not self.calibrate or held is None:
            return theta
        scores = network.forward(theta, held.X, self.n_threads)
        self.temperature_ = find_temperature(scores, held.encoded, held.weight)
        calibrated = theta.copy()
        last = network.objective.unpack(calibrated)
        for name in (network.weights[-1], network.biases[-1]):
            last[name] /= self.temperature_
        return calibrated

    # what users call ---------------------------------------------------------------------

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row."""
        scores = self._scores(X)
        return self._labels.decode(scores)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class for each row, (rows, classes)."""
        return self._network_output(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of ``predict_proba``."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
