"""What the two RealMLP estimators have in common: columns, network, fit, prediction."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.errors import DataError, FileFormatError, NumericalError, OptionError
from chainrule.estimators.base import NetworkEstimator, unchanged_on_failure
from chainrule.estimators.checkpointing import checkpoints_of, note_data, random_state_from
from chainrule.estimators.constraints import (
    Constraint,
    array_like,
    flag,
    function,
    instance_of,
    integer,
    none,
    one_of,
    real,
    seed,
    verbosity,
)
from chainrule.estimators.data import check_weights
from chainrule.estimators.generators import check_random_state
from chainrule.estimators.monitoring import HeldOut, Judge, watchers
from chainrule.estimators.network import Network
from chainrule.estimators.pieces import Pieces, fit_elsewhere, lies_elsewhere
from chainrule.estimators.realmlp_training import (
    TRAINING_PRESETS,
    TimeBudget,
    TrainingPreset,
    batch_size_for,
    column_encoder,
    first_theta,
    make_trainer,
)
from chainrule.estimators.sklearn_callbacks import begin_fit, end_fit, with_callbacks
from chainrule.estimators.solving import diverged, diverged_result, say_how_it_ended
from chainrule.estimators.table_rows import TableRows, split_off
from chainrule.estimators.tables_in_pieces import fit_pieces
from chainrule.graph import LEAVES, Node
from chainrule.networks import ACTIVATIONS
from chainrule.networks.realmlp import PRESETS, Features, Preset, RealMLP, realmlp, split_features
from chainrule.ops import ROWS
from chainrule.tables import ColumnEncoder, Encoded, Table, as_table
from chainrule.training import Result, Trainer, run_to_end
from chainrule.training.checkpoints import Checkpoints

WAVED = ("numeric", "cyclic")
"""Kinds of dense features that are quantities."""

OPTIONS: dict[str, Constraint] = {
    "preset": one_of("td", "td-s"),
    "hidden_layer_sizes": array_like | integer(1),
    "activation": one_of(*ACTIVATIONS) | none,
    "n_epochs": integer(1),
    "batch_size": one_of("auto") | integer(1),
    "learning_rate_init": real("()", 0) | none,
    "weight_decay": real("[)", 0) | none,
    "dropout": real("[)", 0, 1) | none,
    "types": instance_of("a mapping of columns to types", Mapping) | none,
    "validation_fraction": real("[)", 0, 1),
    "n_iter_no_change": integer(1) | none,
    "max_time": real("()", 0) | none,
    "scoring": instance_of("a str", str) | function | none,
    "callbacks": instance_of("a list of callbacks", list, tuple) | none,
    "progress_bar": flag | none,
    "verbose": verbosity,
    "random_state": seed,
    "n_threads": integer(1) | none,
    "checkpoint": instance_of("a folder", str, os.PathLike) | none,
    "checkpoint_every": integer(1),
}
"""Of both estimators."""


class RealMLPEstimator(NetworkEstimator):
    """The part of a RealMLP estimator that does not depend on what it predicts.

    A fit cuts off rows to validate on, learns the columns and the target from the rest, trains for
    a fixed number of epochs, and keeps the parameters of the epoch that validated best.
    """

    _task: ClassVar[str]
    _trainer: Trainer | None = None
    encoder_: ColumnEncoder
    preset: str
    hidden_layer_sizes: Any
    activation: str | None
    n_epochs: int
    batch_size: Any
    learning_rate_init: float | None
    weight_decay: float | None
    dropout: float | None
    types: Any
    validation_fraction: float
    n_iter_no_change: int | None
    max_time: float | None
    scoring: Any
    callbacks: Any
    progress_bar: bool | None
    verbose: Any
    random_state: Any

    @abstractmethod
    def _targets(self, y: Any) -> np.ndarray:
        """``y`` as numbers of classes, or as values; takes note of what classes there are."""

    @abstractmethod
    def _targets_again(self, y: Any) -> np.ndarray:
        """``y`` as numbers, for the classes or outputs of the fit."""

    @abstractmethod
    def _learn_target(self, rows: TableRows) -> None:
        """Take note of the targets' statistics in the training rows."""

    @abstractmethod
    def _for_loss(self, y: np.ndarray) -> np.ndarray:
        """Targets as the loss reads them."""

    @abstractmethod
    def _outputs(self) -> int:
        """Scores of a row."""

    @abstractmethod
    def _loss_and_output(self, scores: Node) -> tuple[Node, Node]:
        """The loss of a row, and what people read, from the scores."""

    @abstractmethod
    def _judge_options(self) -> dict[str, Any]:
        """``labels``, ``by_loss`` and ``limits`` of the judge of each epoch."""

    @abstractmethod
    def _calibrated(self, network: Network, theta: np.ndarray, held: HeldOut | None) -> np.ndarray:
        """θ once the scores are made to mean what they say."""

    def _weights_of(self, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
        """The rows' weights, those of their classes included."""
        return weight

    # what a preset says, unless an option says otherwise ---------------------------------

    def _training_preset(self) -> TrainingPreset:
        preset = TRAINING_PRESETS[self.preset, self._task]
        said = {"learning_rate": self.learning_rate_init, "weight_decay": self.weight_decay}
        told = {name: float(value) for name, value in said.items() if value is not None}
        return replace(preset, **told)

    def _network_preset(self) -> Preset:
        preset = PRESETS[self.preset, self._task]
        said: dict[str, Any] = {"activation": self.activation, "dropout": self.dropout}
        return replace(preset, **{k: v for k, v in said.items() if v is not None})

    def _hidden_sizes(self) -> tuple[int, ...]:
        sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes))
        if sizes.dtype.kind not in "iu" or sizes.ndim != 1 or np.any(sizes < 1):
            raise OptionError(
                "hidden_layer_sizes must be integers > 0, one for each hidden layer; "
                f"got {self.hidden_layer_sizes!r}"
            )
        return tuple(int(size) for size in sizes)

    # fitting -----------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None) -> Any:
        """Fit to the rows of a table and their targets.

        Parameters
        ----------
        X : DataFrame, structured array, mapping of columns, array, or path of a CSV file
            Columns of any types, values may be missing.
        y : array-like of shape (rows,)
        sample_weight : array-like of shape (rows,), optional
        validation_data : pair (X, y), optional
            Rows to validate on; by default ``validation_fraction`` of those above.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @with_callbacks
    def _fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any) -> Any:
        if lies_elsewhere(X, y):
            return fit_elsewhere(self, X, y, sample_weight, validation_data)
        begin = perf_counter()
        self._check_parameters()
        context = begin_fit(self, self.n_epochs, X, y)
        asked = checkpoints_of(self, incremental=False)
        with unchanged_on_failure(self), asked as kept:
            given = self._rows(X, y, sample_weight)
            classes = getattr(self, "classes_", None)
            note_data(kept, given.table, given.y, given.weight, classes, validation_data)
            random_state = random_state_from(kept, check_random_state(self.random_state))
            rows, held = self._cut(given, validation_data, random_state)
            built, inputs = self._learn(rows)
            held_out = None if held is None else self._held_out(held)
            self._run(
                inputs,
                lambda _: (inputs, self._for_loss(rows.y), rows.weight),
                len(rows),
                held_out,
                random_state,
                begin=begin,
                kept=kept,
                built=built,
                context=context,
                told=(X, y),
            )
        end_fit(context, self, X, y)
        return self

    def _fit_pieces(self, pieces: Pieces, validation_data: Any = None) -> Any:
        """``fit`` to rows that lie in files or on other machines."""
        return fit_pieces(self, pieces, validation_data)

    def _run(
        self,
        sample: Mapping[str, np.ndarray],
        rows: Callable[[Network], tuple[Any, Any, Any]],
        count: int,
        held: HeldOut | None,
        random_state: np.random.RandomState,
        *,
        begin: float,
        kept: Checkpoints | None,
        built: RealMLP | None = None,
        context: Any = None,
        told: tuple[Any, Any] = (None, None),
    ) -> None:
        """Train on ``rows(network)``, so many, from a θ that fits ``sample``; keep the outcome."""
        built = built or self._build()
        network = self._network_of(built)
        theta0 = first_theta(built, network.objective, sample, random_state)
        judge = None if held is None else self._judge(network, held)
        trainer = make_trainer(
            built,
            network.objective,
            rows(network),
            theta0=theta0,
            preset=self._training_preset(),
            batch_size=batch_size_for(self.batch_size, count),
            n_epochs=self.n_epochs,
            n_iter_no_change=self.n_iter_no_change,
            validation=judge,
            seed=int(random_state.randint(2**31)),
            n_threads=self.n_threads,
        )
        callbacks = watchers(self, network, None, context, *told)
        if self.max_time is not None:
            callbacks.append(TimeBudget(self.max_time, begin))
        result = self._train(trainer, callbacks, kept)
        self._keep(result, judge)
        self._install(network, self._calibrated(network, result.theta, held))

    def _rows(self, X: Any, y: Any, sample_weight: Any) -> TableRows:
        """Everything given, checked; rows without weight left out."""
        table, y = self._checked(X, y)
        weight = self._weights_of(y, check_weights(sample_weight, table.rows))
        rows = TableRows(table, self._targets(y), weight).weighing()
        if len(rows) < 2:
            raise DataError(
                f"Found array with {len(rows)} sample(s) (shape={table.shape}) while a minimum of "
                f"2 is required by {type(self).__name__}."
            )
        return rows

    def _checked(self, X: Any, y: Any) -> tuple[Table, Any]:
        table = as_table(X)
        if not table.rows:
            raise DataError(
                f"Found array with 0 sample(s) (shape={table.shape}) while a minimum of 1 is "
                f"required by {type(self).__name__}."
            )
        many = self._task == "regression"
        y = validate_data(self, X="no_validation", y=y, multi_output=many, y_numeric=many)
        check_consistent_length(table, y)
        return table, y

    def _cut(
        self, rows: TableRows, validation_data: Any, random_state: np.random.RandomState
    ) -> tuple[TableRows, TableRows | None]:
        """Rows to train on, and rows to validate on."""
        if len(rows) <= batch_size_for(self.batch_size, len(rows)):
            # all in one batch: equal rows have the same gradient as one of their weight
            rows = rows.merged()
        if validation_data is not None:
            return rows, self._given(validation_data)
        train, held = split_off(len(rows), self.validation_fraction, random_state)
        return rows.take(train), rows.take(held) if len(held) else None

    def _given(self, validation_data: Any) -> TableRows:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
            raise DataError(f"validation_data must be a pair (X, y), got {validation_data!r}")
        try:
            table, y = self._checked(*validation_data)
            return TableRows(table, self._targets_again(y))
        except DataError as error:
            raise type(error)(f"validation_data: {error}") from error

    def _learn(self, rows: TableRows) -> tuple[RealMLP, dict[str, np.ndarray]]:
        """Columns and target from the training rows; the network for them, and its inputs."""
        self.encoder_ = column_encoder(self._training_preset(), self.types).fit(rows.table)
        self._take_names()
        self._learn_target(rows)
        return self._build(), self._inputs(self.encoder_.encode(rows.table))

    def _build(self) -> RealMLP:
        """The network for the columns and the target that were learned."""
        features = self._features()
        if not (features.x or features.z or features.cardinalities):
            told = ", ".join(f"{spec.name!r} is {spec.kind}" for spec in self.encoder_.columns_)
            raise DataError(f"{type(self).__name__}: no column to learn from: {told}")
        return realmlp(
            len(self.encoder_.dense_kinds_),
            self._outputs(),
            cardinalities=features.cardinalities,
            waved=features.x,
            preset=self._network_preset(),
            hidden=self._hidden_sizes(),
        )

    def _take_names(self) -> None:
        self.n_features_in_ = self.encoder_.n_features_in_
        vars(self).pop("feature_names_in_", None)
        if hasattr(self.encoder_, "feature_names_in_"):
            self.feature_names_in_ = self.encoder_.feature_names_in_

    def _features(self) -> Features:
        kinds = self.encoder_.dense_kinds_
        waved = [place for place, kind in enumerate(kinds) if kind in WAVED]
        preset = self._network_preset()
        return split_features(len(kinds), self.encoder_.cardinalities_, waved, preset)

    def _inputs(self, encoded: Encoded) -> dict[str, np.ndarray]:
        return self._features().inputs(encoded.dense, encoded.codes)

    def _network_of(self, built: RealMLP) -> Network:
        row_loss, output = self._loss_and_output(built.scores)
        return Network(row_loss, built.scores, output, n_threads=self.n_threads)

    def _target_leaf(self, dtype: type) -> Node:
        outputs = self._outputs()
        shape = (ROWS,) if dtype is int or outputs == 1 else (ROWS, outputs)
        return LEAVES["target"]("y", shape, dtype=dtype)

    def _held_out(self, rows: TableRows) -> HeldOut:
        try:
            inputs = self._inputs(self._encode(rows.table))
        except DataError as error:
            raise type(error)(f"rows to validate on: {error}") from error
        y = self._for_loss(rows.y)
        return HeldOut(inputs, y, rows.y, self._told(rows.y), rows.weight, seen=rows.table)

    def _told(self, y: np.ndarray) -> np.ndarray:
        """Targets as people gave them."""
        return y

    def _judge(self, network: Network, held: HeldOut) -> Judge:
        options = self._judge_options()
        labels = options.pop("labels")
        return Judge(network, held, labels, self.scoring, self._with_theta(network), **options)

    def _train(self, trainer: Trainer, callbacks: list[Any], kept: Checkpoints | None) -> Result:
        try:
            result = run_to_end(
                trainer, callbacks=callbacks, progress_bar=self.progress_bar, kept=kept
            )
        except NumericalError as error:
            if trainer.watch.best_epoch == 0:
                raise diverged(error) from error
            result = diverged_result(trainer, str(error))
        if result.status != "max_iter":
            say_how_it_ended(self, result)
            return result
        cut = trainer.max_epochs < self.n_epochs
        return replace(result, status="max_time" if cut else "max_epochs")

    def _keep(self, result: Result, judge: Judge | None) -> None:
        """What a fit leaves behind beside the network."""
        self.n_iter_ = result.n_iter
        self.history_ = result.history
        self.training_status_ = result.status
        self.loss_curve_ = list(result.history["loss"])
        self.loss_ = result.loss
        self.best_epoch_ = result.best_epoch or result.n_iter
        scored = judge is not None
        self.validation_scores_ = list(result.history["validation_score"]) if scored else None
        self.best_validation_score_ = result.best_score if scored else None

    # prediction and beyond ---------------------------------------------------------------

    def _encode(self, X: Any) -> Encoded:
        return self.encoder_.encode(X, owner=type(self).__name__)

    def _scores(self, X: Any) -> np.ndarray:
        """The scores of every row."""
        check_is_fitted(self, "_theta")
        inputs = self._inputs(self._encode(X))
        return self._network.forward(self._theta_now(), inputs, self.n_threads)

    def _objective_of(self, X: Any, y: Any) -> tuple[Network, np.ndarray, Any, np.ndarray]:
        if hasattr(self, "_network"):
            table, y = self._checked(X, y)
            network, theta = self._network, self._theta
            rows = TableRows(table, self._targets_again(y))
            return network, theta, self._inputs(self._encode(table)), self._for_loss(rows.y)
        rows = self._rows(X, y, None)
        built, inputs = self._learn(rows)
        network = self._network_of(built)
        random_state = check_random_state(self.random_state)
        theta = first_theta(built, network.objective, inputs, random_state)
        return network, theta, inputs, self._for_loss(rows.y)

    def _has_arrays(self) -> bool:
        return hasattr(self, "_network")

    def _show(self, network: Network, values: dict[str, np.ndarray]) -> dict[str, Any]:
        return {}

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return ()

    def _shown_in(self, network: Network) -> dict[str, np.ndarray]:
        return {}

    def _stored(self) -> dict[str, Any]:
        return {"encoder": self.encoder_.to_dict()}

    def _restore(self, header: Mapping[str, Any], network: Network) -> None:
        self.encoder_ = ColumnEncoder.from_dict(header["encoder"])
        self._take_names()
        features = self._features()
        widths = {"x": features.x, "z": features.z, "codes": features.cardinalities}
        expected = {name: len(places) for name, places in widths.items() if places}
        came = {str(one.name): int(one.shape[1]) for one in network.objective.rows.inputs}
        if expected != came:
            raise FileFormatError(
                f"a network of the inputs {came} for columns that give {expected}"
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags
