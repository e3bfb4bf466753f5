"""Fitting: from rows and targets to a run of training, and what it leaves behind."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn import get_config

from chainrule.errors import DataError, GraphError, LabelError, OptionError, ShapeError
from chainrule.estimators.base import NetworkEstimator, unchanged_on_failure
from chainrule.estimators.checkpointing import checkpoints_of, note_data, random_state_from
from chainrule.estimators.data import check_rows_and_target, check_weights
from chainrule.estimators.generators import check_random_state
from chainrule.estimators.in_pieces import fit_pieces
from chainrule.estimators.memory import Memory, joined_history
from chainrule.estimators.monitoring import HeldOut, Judge, split_rows, watchers
from chainrule.estimators.network import Head, Hidden, Network, make_network
from chainrule.estimators.pieces import Pieces, fit_elsewhere, lies_elsewhere
from chainrule.estimators.rules import is_mini_batch, make_update_rule
from chainrule.estimators.sklearn_callbacks import begin_fit, end_fit, with_callbacks
from chainrule.estimators.solving import Rows, Run, train
from chainrule.training import RateFinder, Result, find_learning_rate

MAKES_THE_NETWORK = (
    "solver",
    "hidden_layer_sizes",
    "activation",
    "dropout",
    "layers",
    "loss",
    "quantile",
    "huber_delta",
    "label_smoothing",
    "alpha",
    "l1_ratio",
    "fit_intercept",
    "n_threads",
)
"""Options that the network, its loss and its penalty depend on."""


class TrainedEstimator(NetworkEstimator):
    """An estimator whose network is fitted by training.

    A subclass knows about targets (how they are encoded, what head they need) and about the
    penalty; the steps of a fit and their order are here. A fit that fails leaves everything as it
    was: nothing is changed in place before the run has ended.
    """

    _numeric_target = False
    _penalty_scale = "batch"
    _loss_parts = 1
    _memory: Memory | None = None
    batch_size: Any
    dtype: Any
    early_stopping: bool
    max_iter: int
    random_state: Any
    scoring: Any
    validation_data: Any
    validation_fraction: float
    warm_start: bool

    @property
    def _solver_options(self) -> dict[str, Any]:
        """Options of SciPy's solver beside those of the estimator."""
        return {}

    @abstractmethod
    def _learn_target(self, y: Any, *, first: bool, incremental: bool, classes: Any) -> np.ndarray:
        """Take note of what targets there are; ``y`` encoded."""

    @abstractmethod
    def _encode_again(self, y: Any) -> np.ndarray:
        """``y`` encoded as in the last fit."""

    @abstractmethod
    def _head(self) -> Head:
        """The output layer and the loss for the targets seen."""

    def _for_loss(self, encoded: np.ndarray) -> np.ndarray:
        """Encoded targets as the loss reads them."""
        return encoded

    def _row_weights(self, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
        """The rows' weights, those of their classes included."""
        return weight

    def _stratify(self, encoded: np.ndarray) -> np.ndarray | None:
        """What the rows held back should be like in proportion, or None."""
        return None

    def _row_constants(self, y: np.ndarray) -> np.ndarray | None:
        """Terms of each row's loss that scikit-learn reports and that no parameter changes."""
        return None

    @property
    def _judged_labels(self) -> Any:
        """The labels that a score is computed from, or None for values."""
        return None

    @property
    def _tasks(self) -> int | None:
        """How many iterations there can be, for scikit-learn's callbacks; None: not known."""
        return self.max_iter

    def _hidden(self, first: bool) -> Hidden:
        """The layers before the head; ``first``: by the options alone, else of the last fit."""
        return Hidden()

    @abstractmethod
    def _strengths(self, total_weight: float) -> tuple[float, float]:
        """λ of L2 and of L1; a perceptron's are divided by the weights of the rows."""

    def _train(self, network: Network, theta0: np.ndarray, rows: Rows, run: Run) -> Result:
        """The run itself."""
        return train(self, network, theta0, rows, run)

    # fitting -----------------------------------------------------------------------------

    @with_callbacks
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        incremental: bool = False,
        classes: Any = None,
        validation_data: Any = None,
    ) -> Any:
        if lies_elsewhere(X, y) and not incremental:
            return fit_elsewhere(self, X, y, sample_weight, validation_data)
        self._check_parameters()
        context = begin_fit(self, self._tasks, X, y)
        asked = checkpoints_of(self, incremental=incremental)
        with unchanged_on_failure(self), asked as kept:
            first = not self._has_arrays() or not (self.warm_start or incremental)
            look = {"reset": first, "numeric": self._numeric_target}
            as_it_goes = is_mini_batch(self) and not self.early_stopping
            X, y = check_rows_and_target(self, X, y, finite=not as_it_goes, **look)
            encoded = self._learn_target(y, first=first, incremental=incremental, classes=classes)
            rows = Rows(
                X,
                self._for_loss(encoded),
                self._row_weights(y, check_weights(sample_weight, X.shape[0])),
            )
            held_data = self.validation_data if validation_data is None else validation_data
            classes = getattr(self, "classes_", None)
            note_data(kept, X, encoded, rows.weight, classes, held_data)
            random_state = random_state_from(kept, check_random_state(self.random_state))
            network = self._make_network(X.shape[1], rows.total_weight, first)
            theta0 = self._start(network, random_state, X.dtype, first)
            rows, held, stops = self._hold_back(
                rows, y, encoded, held_data, random_state, incremental
            )
            judge = None if held is None else self._judge(network, held)
            run = Run(
                random_state=random_state,
                validation=judge if stops else None,
                callbacks=watchers(self, network, None if stops else judge, context, X, y),
                one_epoch=incremental,
                memory=None if first else self._memory,
                penalty_scale=self._penalty_scale,
                loss_parts=self._loss_parts,
                row_constants=self._row_constants(rows.y),
                check_finite=as_it_goes and not get_config()["assume_finite"],
                options=self._solver_options,
                kept=kept,
            )
            try:
                result = self._train(network, theta0, rows, run)
            except DataError:
                check_rows_and_target(self, X, y, **look)  # which has the words for NaN
                raise
            self._keep(network, result, first)
        end_fit(context, self, X, y)
        return self

    def _make_network(self, columns: int, total_weight: float, first: bool) -> Network:
        """The network with its penalty; the one of the last fit where that is the same."""
        if is_mini_batch(self) and self._penalty_scale == "batch":
            total_weight = 1.0  # the trainer divides by the weights of each batch
        head = self._head()
        options = tuple(repr(getattr(self, name, None)) for name in MAKES_THE_NETWORK)
        made_for = (columns, total_weight, head.outputs, head.activation, *options)
        if not first and getattr(self, "_made_for", None) == made_for:
            return self._network
        self._made_for = made_for
        return self._network_for(columns, first, head, total_weight)

    def _network_for(self, columns: int, first: bool, head: Head, total_weight: float) -> Network:
        l2, l1 = self._strengths(total_weight)
        hidden = self._hidden(first)
        return make_network(columns, hidden, head, self.n_threads, l2=l2, l1=l1)

    def _start(
        self, network: Network, random_state: np.random.RandomState, dtype: Any, first: bool
    ) -> np.ndarray:
        """θ where the fit starts: scikit-learn's draws, or what the last fit ended with."""
        objective = network.objective
        if first:
            precision = self.dtype or (np.float32 if dtype == np.float32 else np.float64)
            return objective.initial(random_state).astype(precision)
        values = self._shown_in(network)
        if hasattr(self, "_theta"):
            values = self.parameters_ | values
        try:
            theta = objective.pack(values)
        except (GraphError, ShapeError) as error:
            raise OptionError(
                f"{type(self).__name__}: a fit that goes on from the last one (warm_start, "
                f"partial_fit) needs the same layers; {error}. Set the options back, or fit anew "
                "with warm_start=False."
            ) from error
        return theta.astype(self.dtype or np.result_type(*values.values()))

    def _hold_back(
        self,
        rows: Rows,
        y: Any,
        encoded: np.ndarray,
        validation_data: Any,
        random_state: np.random.RandomState,
        incremental: bool,
    ) -> tuple[Rows, HeldOut | None, bool]:
        """Rows to train on, rows to validate on, and whether these decide when to stop."""
        if self.early_stopping and incremental and is_mini_batch(self):
            raise DataError("partial_fit does not support early_stopping=True")
        if validation_data is not None:
            return rows, self._given_rows(validation_data), bool(self.early_stopping)
        if not self.early_stopping or not is_mini_batch(self):
            return rows, None, False
        train_on, held = split_rows(
            rows.count, self.validation_fraction, random_state, self._stratify(encoded)
        )
        apart = rows.take(held)
        out = HeldOut(apart.X, apart.y, encoded[held], y[held], apart.weight)
        return rows.take(train_on), out, True

    def _given_rows(self, validation_data: Any) -> HeldOut:
        if len(validation_data) != 2:
            raise DataError(
                f"validation_data must be a pair (X, y), came {len(validation_data)} things"
            )
        try:
            X, y = check_rows_and_target(
                self, *validation_data, reset=False, numeric=self._numeric_target
            )
            encoded = self._encode_again(y)
        except (DataError, LabelError) as error:
            raise type(error)(f"validation_data: {error}") from error
        return HeldOut(X, self._for_loss(encoded), encoded, y)

    def _judge(self, network: Network, held: HeldOut) -> Judge:
        return Judge(network, held, self._judged_labels, self.scoring, self._with_theta(network))

    def _keep(self, network: Network, result: Result, first: bool) -> None:
        """Everything that a fit leaves behind."""
        self._install(network, result.theta)
        self.n_iter_ = result.n_iter
        self.out_activation_ = self._head().activation
        losses = list(result.history["loss"])
        # scikit-learn's is that of the last epoch, also where the best epoch's weights are kept
        last = result.trainer is not None and len(losses) > 0
        self.loss_ = losses[-1] if last else result.loss
        self.history_ = joined_history(
            None if first else getattr(self, "history_", None), result.history
        )
        self.training_status_ = result.status
        earlier = [] if first else getattr(self, "loss_curve_", [])
        self.loss_curve_ = [*earlier, *losses]
        rows_before = 0 if first else getattr(self, "t_", 0)
        self.t_ = rows_before if result.trainer is None else result.trainer.rows_seen
        self._memory = None if result.trainer is None else Memory.of(result.trainer)
        self._keep_best(result, first)

    def _keep_best(self, result: Result, first: bool) -> None:
        if result.trainer is None:
            return
        best = result.trainer.watch.best
        if result.trainer.watch.score:
            earlier = [] if first else getattr(self, "validation_scores_", None) or []
            self.validation_scores_ = [*earlier, *result.history["validation_score"]]
            self.best_validation_score_ = best
            self.best_loss_ = None
        else:
            self.validation_scores_ = None
            self.best_validation_score_ = None
            self.best_loss_ = best

    def _fit_pieces(self, pieces: Pieces, validation_data: Any = None) -> Any:
        """``fit`` to rows that lie in files or on other machines."""
        return fit_pieces(self, pieces, validation_data)

    # beyond fit --------------------------------------------------------------------------

    def find_learning_rate(
        self, X: Any, y: Any, sample_weight: Any = None, **options: Any
    ) -> RateFinder:
        """Loss against learning rate in a short run at growing rates, and the rate to start with.

        This estimator is left as it is. ``options`` are those of
        ``chainrule.training.find_learning_rate``: ``smallest``, ``largest``, ``batches``.
        """
        self._check_parameters()
        twin = self._twin()
        by_batch = self._penalty_scale == "batch"
        found = twin._objective_of(X, y, initial=True, total_weight=1.0 if by_batch else None)
        network, theta, X, y = found
        return find_learning_rate(
            network.objective,
            X,
            y,
            check_weights(sample_weight, X.shape[0]),
            theta0=theta,
            update=make_update_rule(self) if is_mini_batch(self) else "adam",
            batch_size=min(200, X.shape[0]) if self.batch_size == "auto" else self.batch_size,
            penalty_scale=self._penalty_scale,
            **options,
        )

    def _objective_of(
        self, X: Any, y: Any, *, initial: bool = False, total_weight: float | None = None
    ) -> tuple[Network, np.ndarray, Any, np.ndarray]:
        first = initial or not hasattr(self, "_network")
        X, y = check_rows_and_target(self, X, y, reset=first, numeric=self._numeric_target)
        if first:
            encoded = self._learn_target(y, first=True, incremental=False, classes=None)
        else:
            encoded = self._encode_again(y)
        weight = total_weight or X.shape[0]
        network = self._network_for(X.shape[1], first, self._head(), weight)
        theta = self._start(network, check_random_state(self.random_state), X.dtype, first)
        return network, theta, X, self._for_loss(encoded)
