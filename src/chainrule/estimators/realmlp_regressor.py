"""RealMLPRegressor: values from the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin

from chainrule.errors import DataError
from chainrule.estimators.constraints import Constraint, flag, none, one_of, real
from chainrule.estimators.monitoring import HeldOut
from chainrule.estimators.network import Network
from chainrule.estimators.realmlp import OPTIONS, RealMLPEstimator
from chainrule.estimators.realmlp_training import TrainingPreset
from chainrule.estimators.table_rows import TableRows
from chainrule.graph import FUNCTIONS, Node

LOSSES = ("squared_error", "absolute_error", "huber", "quantile", "poisson")

POISSON_RATE = 0.04
"""The learning rate of loss "poisson", unless said otherwise."""

POISSON_NORM = 1.0
"""What the gradients of loss "poisson" are cut to, of targets in units of their mean."""


class RealMLPRegressor(RegressorMixin, RealMLPEstimator):
    """Regressor for tables of any columns, with defaults that need no tuning: RealMLP-TD.

    As ``RealMLPClassifier``, with "mish" as activation; the target is standardised by the training
    rows, and predictions stay within its range there.

    Parameters
    ----------
    preset : {"td", "td-s"}, default="td"
        "td": the full recipe. "td-s": the simple one, no waves, parametric activations or dropout,
        one-hot for all categories (up to 512), predictions not limited.
    loss : str, default="squared_error"
        "squared_error", "absolute_error", "huber", "quantile", or "poisson" for counts, whose
        expectation is the exponential of the score.
    quantile : float, default=0.5
        Of loss "quantile".
    huber_delta : float, default=1.0
        Of loss "huber", in standard deviations of the target.
    hidden_layer_sizes : array-like of int, default=(256, 256, 256)
    activation : str or None, default=None
        None: "mish".
    n_epochs : int, default=256
        The length of the run; the learning rate falls and rises in four cycles over it.
    batch_size : int or "auto", default=256
        "auto": 64 up to 1024 rows, 128 up to 8192, 256 up to 30 000, 512 up to 100 000, else 1024.
    learning_rate_init : float or None, default=None
        None: 0.2, of "td-s" 0.07; with loss "poisson" 0.04.
    weight_decay : float or None, default=None
        None: 0.02, of "td-s" 0.
    dropout : float or None, default=None
        None: 0.15, of "td-s" 0.
    clamp : bool or None, default=None
        Whether predictions stay within the range of the training rows' targets. None: with "td".
    types : mapping of str to str or None, default=None
        What columns are, where that should not be inferred; see ``ColumnEncoder``.
    validation_fraction : float, default=0.2
        Share of the rows that are validated on; 0: the last epoch is kept.
    n_iter_no_change : int or None, default=None
        Stop after so many epochs without a better score. The recipe does not.
    max_time : float or None, default=None
        Seconds that a fit may take: as many epochs are planned as fit in.
    scoring : str, callable or None, default=None
        scikit-learn's scorer that decides which epoch is the best; None: R² for squared errors,
        else the loss.
    callbacks : list or None, default=None
        Called after each epoch with a ``Progress``; one that returns True stops training.
    progress_bar : bool or None, default=False
        None: on a terminal, where it takes more than a second.
    verbose : bool or int, default=False
        Print each epoch.
    random_state : int, RandomState or None, default=None
    n_threads : int or None, default=None
        Of the compiled engine; the result does not depend on it.

    Attributes
    ----------
    encoder_ : ColumnEncoder
        ``encoder_.summary()`` says what each column was taken for.
    target_center_, target_scale_ : ndarray of shape (outputs,)
        A prediction is the score · scale + center (for "poisson": exp(score) · scale).
    target_range_ : ndarray of shape (2, outputs)
        Least and largest target of the training rows.
    n_iter_, best_epoch_ : int
        Epochs made, and the one whose parameters are kept.
    loss_, loss_curve_ : float, list of float
        Of the best epoch, and of each; of the standardised target.
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
    >>> import numpy as np
    >>> from chainrule import RealMLPRegressor
    >>> x = np.linspace(0, 1, 200)
    >>> model = RealMLPRegressor(n_epochs=64, random_state=0).fit({"x": x}, np.sin(6 * x))
    >>> model.score({"x": x}, np.sin(6 * x)) > 0.9
    True
    """

    _task = "regression"
    _constraints: ClassVar[dict[str, Constraint]] = {
        **OPTIONS,
        "loss": one_of(*LOSSES),
        "quantile": real("()", 0, 1),
        "huber_delta": real("()", 0),
        "clamp": flag | none,
    }

    def __init__(
        self,
        preset: str = "td",
        *,
        loss: str = "squared_error",
        quantile: float = 0.5,
        huber_delta: float = 1.0,
        hidden_layer_sizes: Any = (256, 256, 256),
        activation: str | None = None,
        n_epochs: int = 256,
        batch_size: Any = 256,
        learning_rate_init: float | None = None,
        weight_decay: float | None = None,
        dropout: float | None = None,
        clamp: bool | None = None,
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
        self.loss = loss
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.clamp = clamp
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

    def _training_preset(self) -> TrainingPreset:
        preset = super()._training_preset()
        if self.loss != "poisson":
            return preset
        rate = preset.learning_rate
        if self.learning_rate_init is None:
            # an exponential of the scores: what a step of the recipe does to it is too much
            rate = min(rate, POISSON_RATE)
        # one gradient of a score that shot up would keep Adam's steps short for hundreds of batches
        return replace(preset, learning_rate=rate, clip_norm=POISSON_NORM)

    # targets -----------------------------------------------------------------------------

    def _targets(self, y: Any) -> np.ndarray:
        values = self._targets_again(y)
        self.n_outputs_ = 1 if values.ndim == 1 else int(values.shape[1])
        return values

    def _targets_again(self, y: Any) -> np.ndarray:
        values = np.asarray(y, np.float64)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if self.loss == "poisson" and np.any(values < 0):
            raise DataError(f"loss='poisson' needs targets ≥ 0, got {values.min():g} in y")
        return values

    def _learn_target(self, rows: TableRows) -> None:
        y = rows.y.reshape(len(rows), -1)
        low, high = y.min(axis=0), y.max(axis=0)
        self.target_range_ = np.array([low, high])
        # in halves and in units of the largest, so that nothing overflows
        unit = np.where(np.abs(y).max(axis=0) > 0, np.abs(y).max(axis=0), 1.0)
        center = np.average(y / unit, axis=0, weights=rows.weight) * unit
        if self.loss == "poisson":
            self.target_center_, self.target_scale_ = np.zeros_like(center), center
        else:
            deviation = (y / unit - center / unit) ** 2
            spread = np.sqrt(np.average(deviation, axis=0, weights=rows.weight)) * unit
            self.target_center_, self.target_scale_ = center, spread
        constant = (low == high) | ~(self.target_scale_ > 0)
        self.target_scale_ = np.where(constant, 1.0, self.target_scale_)

    def _for_loss(self, y: np.ndarray) -> np.ndarray:
        shaped = y.reshape(len(y), -1)
        return ((shaped - self.target_center_) / self.target_scale_).reshape(y.shape)

    def _outputs(self) -> int:
        return self.n_outputs_

    def _loss_and_output(self, scores: Node) -> tuple[Node, Node]:
        options = {"quantile": {"q": self.quantile}, "huber": {"delta": self.huber_delta}}
        target = self._target_leaf(float)
        more: dict[str, Any] = options.get(self.loss, {})
        loss = FUNCTIONS[self.loss](scores, target, name="loss", **more)
        poisson = self.loss == "poisson"
        return loss, FUNCTIONS["exp"](scores, name="output") if poisson else scores

    def _judge_options(self) -> dict[str, Any]:
        limits = self.prediction_limits
        if limits is not None:
            limits = (limits - self.target_center_) / self.target_scale_
        return {"labels": None, "by_loss": self.loss != "squared_error", "limits": limits}

    def _calibrated(self, network: Network, theta: np.ndarray, held: HeldOut | None) -> np.ndarray:
        return theta

    # what users call ---------------------------------------------------------------------

    @property
    def prediction_limits(self) -> np.ndarray | None:
        """Least and greatest value of each output that is predicted; None: there are no limits."""
        clamp = self._training_preset().clamp if self.clamp is None else self.clamp
        return self.target_range_ if clamp else None

    def predict(self, X: Any) -> np.ndarray:
        """The value of each row, or the values (rows, outputs)."""
        values = self._network_output(X).astype(np.float64)
        values = values * self.target_scale_ + self.target_center_
        if self.prediction_limits is not None:
            values = values.clip(*self.prediction_limits)
        return values.reshape(-1) if values.shape[1] == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
