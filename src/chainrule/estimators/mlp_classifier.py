"""MLPClassifier: a multi-layer perceptron for classes and tables of labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from chainrule.estimators.classification import Classification
from chainrule.estimators.constraints import Constraint, function, one_of
from chainrule.estimators.mlp import MultiLayerPerceptron
from chainrule.estimators.network import Head
from chainrule.estimators.options import CLASSES, COMMON, HIDDEN
from chainrule.estimators.own_loss import own_loss


class MLPClassifier(Classification, MultiLayerPerceptron):
    """Multi-layer perceptron classifier; scikit-learn's, with more solvers and options.

    J(θ) = Σ_i w_i · L_i / Σ_i w_i + α/2 · Σ‖W‖² / Σ_i w_i, L_i the cross-entropy of row i.

    Parameters up to ``max_fun`` are scikit-learn's, in its order, with its defaults and its
    meaning: the same seed starts at the same weights and visits the same rows.

    Parameters
    ----------
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
    loss : "log_loss" or callable, default="log_loss"
        A function from the nodes (scores, target) to the node of each row's loss.
    dropout : float or list of float, default=0.0
        Share of hidden units dropped in training, one for all layers or one for each.
    class_weight : dict, list of dicts, "balanced" or None, default=None
        Weights of the classes.
    label_smoothing : float, default=0.0
        ε: targets become (1 − ε) t + ε / classes.
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
        scikit-learn's scorer for early stopping; None is accuracy.
    callbacks : list or None, default=None
        Called after each epoch with a ``Progress``; one that returns True stops training.
    progress_bar : bool, default=False
    n_threads : int or None, default=None
        Of the compiled engine; the result does not depend on it.
    dtype : "float32", "float64" or None, default=None
        Precision; None is that of X.
    checkpoint : path or None, default=None
        A folder in which the state of training is kept; where it holds one, ``fit`` goes on from
        it. Full-batch solvers then run in legs of ``checkpoint_every`` iterations.
    checkpoint_every : int, default=10
        Epochs or iterations from one checkpoint to the next.

    Attributes
    ----------
    classes_ : ndarray
        The classes in the order of the columns of ``predict_proba``.
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
    >>> from sklearn.datasets import load_digits
    >>> from chainrule import MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier((20,), solver="lbfgs", random_state=0).fit(X / 16, y)
    >>> model.score(X / 16, y) > 0.99
    True
    """

    _constraints: ClassVar[dict[str, Constraint]] = {
        **COMMON,
        **HIDDEN,
        **CLASSES,
        "loss": one_of("log_loss") | function,
    }
    classes_: np.ndarray

    def __init__(
        self,
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
        loss: Any = "log_loss",
        dropout: Any = 0.0,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
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
        self.loss = loss
        self.dropout = dropout
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
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

    def _head(self) -> Head:
        head = self._softmax_head() if self._labels.kind == "multiclass" else self._sigmoid_head()
        return replace(head, loss=own_loss(self.loss)) if callable(self.loss) else head

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (or label) for each row, (rows, classes)."""
        return self._two_columns(self._network_output(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
