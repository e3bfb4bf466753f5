"""What the two linear classifiers have in common: options, penalty, public arrays."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from chainrule.errors import DataError, OptionError
from chainrule.estimators.classification import Classification
from chainrule.estimators.constraints import Constraint, flag, real
from chainrule.estimators.fitting import TrainedEstimator
from chainrule.estimators.network import Network
from chainrule.estimators.options import CLASSES, COMMON
from chainrule.estimators.rules import is_mini_batch
from chainrule.estimators.solving import Rows, Run, say_how_it_ended
from chainrule.estimators.split_l1 import minimize_l1
from chainrule.training import Result


class LinearClassifier(Classification, TrainedEstimator):
    """scores = X Wᵀ + b; θ shown as ``coef_`` and ``intercept_``."""

    _constraints: ClassVar[dict[str, Constraint]] = {
        **COMMON,
        **CLASSES,
        "l1_ratio": real("[]", 0, 1),
        "fit_intercept": flag,
    }
    _multilabel = False
    _penalty_scale = "mean"

    @property
    def _solver_options(self) -> dict[str, Any]:
        # a convex problem is solved to the end: the gradient alone says when
        return {"ftol": 1e-15, "maxls": 50} if self.solver == "lbfgs" else {}

    coef_: np.ndarray
    intercept_: np.ndarray

    def __init__(
        self,
        alpha: float = 0.0001,
        *,
        l1_ratio: float = 0.0,
        solver: Any = "lbfgs",
        fit_intercept: bool = True,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 1000,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        weight_decay: float = 0.01,
        grad_clip_norm: float | None = None,
        validation_data: Any = None,
        scoring: Any = None,
        callbacks: Any = None,
        progress_bar: Any = False,
        n_threads: int | None = None,
        dtype: Any = None,
        checkpoint: Any = None,
        checkpoint_every: int = 10,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.solver = solver
        self.fit_intercept = fit_intercept
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.weight_decay = weight_decay
        self.grad_clip_norm = grad_clip_norm
        self.validation_data = validation_data
        self.scoring = scoring
        self.callbacks = callbacks
        self.progress_bar = progress_bar
        self.n_threads = n_threads
        self.dtype = dtype
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self._strengths()[1] > 0 and not (self.solver == "lbfgs" or is_mini_batch(self)):
            raise OptionError(
                f"solver={self.solver!r} needs a smooth penalty, but l1_ratio={self.l1_ratio}; "
                "use solver='lbfgs', whose zeros are exact, or a mini-batch solver"
            )

    def _learn_target(self, y: Any, *, first: bool, incremental: bool, classes: Any) -> np.ndarray:
        encoded = super()._learn_target(y, first=first, incremental=incremental, classes=classes)
        if len(self.classes_) < 2:
            raise DataError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {self.classes_.tolist()[0]!r}"
            )
        return encoded

    # penalty and training ----------------------------------------------------------------

    def _strengths(self, total_weight: float = 1.0) -> tuple[float, float]:
        return float(self.alpha * (1 - self.l1_ratio)), float(self.alpha * self.l1_ratio)

    def _train(self, network: Network, theta0: np.ndarray, rows: Rows, run: Run) -> Result:
        l2, l1 = self._strengths()
        if l1 == 0 or is_mini_batch(self):
            return super()._train(network, theta0, rows, run)
        result = minimize_l1(
            network.penalised(l2).objective,
            rows.X,
            rows.y,
            rows.weight,
            theta0=theta0,
            strength=l1,
            max_iter=self.max_iter,
            tol=float(self.tol),
            max_fun=self.max_fun,
            callbacks=run.callbacks,
            kept=run.kept,
        )
        say_how_it_ended(self, result)
        return result

    # prediction --------------------------------------------------------------------------

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores: (rows,) for two classes, positive for the second; else (rows, classes)."""
        scores = self._scores(X)
        return scores.reshape(-1) if self._labels.kind == "binary" else scores

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class for each row, (rows, classes)."""
        return self._two_columns(self._network_output(X))

    # public arrays -----------------------------------------------------------------------

    def _has_arrays(self) -> bool:
        return hasattr(self, "coef_")

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return (self.coef_, self.intercept_)

    def _show(self, network: Network, values: dict[str, np.ndarray]) -> dict[str, Any]:
        W = values[network.weights[0]]
        b = values[network.biases[0]] if network.biases else np.zeros(W.shape[1], W.dtype)
        return {"coef_": W.T, "intercept_": b}

    def _shown_in(self, network: Network) -> dict[str, np.ndarray]:
        shown = {network.weights[0]: self.coef_.T}
        return shown | ({network.biases[0]: self.intercept_} if network.biases else {})
