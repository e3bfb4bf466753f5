"""MLPRegressor: a multi-layer perceptron for one value a row, or several."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse
from scipy.special import xlogy
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from chainrule.errors import DataError, WrongTypeError
from chainrule.estimators.constraints import Constraint, function, one_of, real
from chainrule.estimators.mlp import MultiLayerPerceptron
from chainrule.estimators.network import Head, NamedLoss
from chainrule.estimators.options import COMMON, HIDDEN
from chainrule.estimators.own_loss import own_loss
from chainrule.estimators.rules import is_mini_batch
from chainrule.ops import ROWS

LOSSES = ("squared_error", "poisson", "huber", "absolute_error", "quantile")


class MLPRegressor(RegressorMixin, MultiLayerPerceptron):
    """Multi-layer perceptron regressor; scikit-learn's, with more losses, solvers and options.

    J(θ) = Σ_i w_i · ½ ‖ŷ_i − y_i‖² / Σ_i w_i + α/2 · Σ‖W‖² / Σ_i w_i, or another loss.

    Parameters up to ``max_fun`` are scikit-learn's, in its order, with its defaults and its
    meaning: the same seed starts at the same weights and visits the same rows. With several
    outputs ``loss_`` is averaged over them, as scikit-learn reports it; what is minimised is
    the sum.

    Parameters
    ----------
    loss : str or callable, default="squared_error"
        "squared_error", "poisson" (the output is then exp of the scores), "huber",
        "absolute_error", "quantile", or a function from the nodes (scores, target) to the node
        of each row's loss.
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer.
    activation : str, callable or list of them, default="relu"
        Of the hidden layers, one for all or one for each: "identity", "logistic" ("sigmoid"),
        "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", or a
        function from node to node.
    solver : str or update rule, default="adam"
        Over mini-batches "sgd", "adam", "adamw", "rmsprop", "nesterov" or a rule such as
        ``chainrule.training.Adam(0.01)``, which has its own rate; over all rows "lbfgs", "cg",
        "newton-cg", "bfgs", "tnc", "gd".
    alpha : float, default=0.0001
        Strength of the L2 penalty, divided by the weights of the batch.
    batch_size : int or "auto", default="auto"
        Rows of a batch; "auto" is min(200, rows).
    learning_rate : str or schedule, default="constant"
        "constant", "invscaling", "adaptive" (scikit-learn's, not used by "adam"), or for every
        mini-batch solver "step", "cosine", "one-cycle", "plateau", … or a schedule such as
        ``chainrule.training.Cosine(end=0.1)``.
    learning_rate_init : float, default=0.001
        The rate that the schedule starts from.
    power_t : float, default=0.5
        The exponent of "invscaling".
    max_iter : int, default=200
        Epochs (mini-batches) or iterations at most.
    shuffle : bool, default=True
        Whether each epoch visits the rows in a new order.
    random_state : int, RandomState or None, default=None
        Draws weights, rows held back, the order of rows and dropout.
    tol : float, default=1e-4
        What counts as an improvement; of full-batch solvers the largest entry of the gradient.
    verbose : bool or int, default=False
        Print each epoch.
    warm_start : bool, default=False
        ``fit`` goes on from the last fit.
    momentum : float, default=0.9
        Of "sgd" and "nesterov".
    nesterovs_momentum : bool, default=True
        Whether "sgd" looks ahead.
    early_stopping : bool, default=False
        Hold ``validation_fraction`` of the rows back and stop when their score no longer
        improves; the parameters of the best epoch are kept. Mini-batch solvers; with
        ``validation_data`` all solvers.
    validation_fraction : float, default=0.1
        Share of the rows held back.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of "adam" and "adamw"; epsilon of "rmsprop", too.
    n_iter_no_change : int, default=10
        Epochs without improvement before training stops.
    max_fun : int, default=15000
        Evaluations at most of "lbfgs".
    dropout : float or list of float, default=0.0
        Share of hidden units dropped in training, one for all layers or one for each.
    quantile : float, default=0.5
        Of the loss "quantile".
    huber_delta : float, default=1.0
        Of the loss "huber": errors beyond it count linearly.
    layers : list of layers, callable or None, default=None
        Hidden layers of one's own, such as ``[Dense(20, "relu"), LayerNorm()]``, or a function
        from node to node; in place of sizes, activation and dropout.
    weight_decay : float, default=0.01
        Of "adamw".
    grad_clip_norm : float or None, default=None
        Longest gradient of a mini-batch.
    validation_data : pair (X, y) or None, default=None
        Rows to score each epoch on; an argument of ``fit``, too.
    scoring : str, callable or None, default=None
        scikit-learn's scorer for early stopping; None is R².
    callbacks : list or None, default=None
        Called after each epoch with a ``Progress``; one that returns True stops training.
    progress_bar : bool, default=False
    n_threads : int or None, default=None
        Of the compiled engine; the result does not depend on it.
    dtype : "float32", "float64" or None, default=None
        Precision; None is that of X.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, outputs) and intercepts of each layer: views into one vector.
    loss_, best_loss_, loss_curve_ : float, float or None, list of float
        The last epoch's loss, the least, and each epoch's.
    validation_scores_, best_validation_score_ : list of float or None, float or None
    n_iter_, t_ : int
        Epochs or iterations of this fit; rows seen.
    n_layers_, n_outputs_, out_activation_ : int, int, str
    n_features_in_, feature_names_in_ : int, ndarray
    history_ : History
        A table of losses, scores, gradient norms, rates and seconds, one row an epoch.
    training_status_ : str
        Why training ended: "converged", "max_iter", "interrupted", "callback", …
    network_ : Graph
    parameters_ : dict of str to ndarray

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from chainrule import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MLPRegressor(hidden_layer_sizes=(8,), solver="cg", random_state=0, max_iter=50)
    >>> model.fit(10 * X, y / 100).score(10 * X, y / 100) > 0.4
    True
    """

    _constraints: ClassVar[dict[str, Constraint]] = {
        **COMMON,
        **HIDDEN,
        "loss": one_of(*LOSSES) | function,
        "quantile": real("()", 0, 1),
        "huber_delta": real("()", 0),
    }
    _numeric_target = True

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
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
        dropout: Any = 0.0,
        quantile: float = 0.5,
        huber_delta: float = 1.0,
        layers: Any = None,
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
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
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
        self.dropout = dropout
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.layers = layers
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

    # targets -----------------------------------------------------------------------------

    def _learn_target(self, y: Any, *, first: bool, incremental: bool, classes: Any) -> np.ndarray:
        outputs = 1 if y.ndim == 1 else int(y.shape[1])
        if not first and outputs != getattr(self, "n_outputs_", outputs):
            raise DataError(
                f"y has {outputs} outputs a row, the last fit had {self.n_outputs_}; "
                "a fit that goes on needs the same"
            )
        self.n_outputs_ = outputs
        return self._encode_again(y)

    def _encode_again(self, y: Any) -> np.ndarray:
        if scipy.sparse.issparse(y):
            raise WrongTypeError("MLPRegressor: y is a sparse matrix; give it as y.toarray()")
        values = np.asarray(y)
        if values.dtype.kind not in "fiub":
            raise DataError(f"MLPRegressor: y must hold numbers, came an array of {values.dtype}")
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if self.loss == "poisson" and np.any(values < 0):
            raise DataError(f"loss='poisson' needs targets ≥ 0, got {values.min():g} in y")
        return values

    def _head(self) -> Head:
        name = self.loss
        shape = (ROWS,) if self.n_outputs_ == 1 else (ROWS, self.n_outputs_)
        if not isinstance(name, str):
            return Head(self.n_outputs_, "identity", own_loss(name), shape)
        options = {
            "quantile": (("q", float(self.quantile)),),
            "huber": (("delta", float(self.huber_delta)),),
        }
        loss = NamedLoss(name, options.get(name, ()))
        return Head(self.n_outputs_, "exp" if name == "poisson" else "identity", loss, shape)

    @property
    def _loss_parts(self) -> int:
        # scikit-learn reports the mean over outputs, and follows the gradient of the sum
        return self.n_outputs_ if self.loss == "squared_error" else 1

    def _row_constants(self, y: np.ndarray) -> np.ndarray | None:
        if self.loss != "poisson":
            return None
        # scikit-learn's half deviance has terms of y alone
        return (xlogy(y, y) - y).reshape(len(y), -1).sum(axis=1)

    # what users call ---------------------------------------------------------------------

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> Self:
        """Fit to rows X (array, data frame or sparse matrix) and their values y.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, columns)
        y : array-like of shape (rows,) or (rows, outputs)
        sample_weight : array-like of shape (rows,), optional
        validation_data : pair (X, y), optional
            Rows to score each epoch on.
        """
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    # scikit-learn's regressor has the method with "lbfgs", too, and goes on from its last weights
    @available_if(lambda model: is_mini_batch(model) or model.solver == "lbfgs")
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch over these rows, going on from where training stands; "lbfgs": a whole run."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """The value of each row, or the values (rows, outputs)."""
        values = self._network_output(X)
        return values.reshape(-1) if values.shape[1] == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags
