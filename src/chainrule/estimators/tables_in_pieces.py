"""Fitting a RealMLP to a table in pieces: columns of any types, encoded as all rows ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from chainrule.errors import DataError
from chainrule.estimators.base import unchanged_on_failure
from chainrule.estimators.checkpointing import checkpoints_of, random_state_from
from chainrule.estimators.generators import check_random_state
from chainrule.estimators.in_pieces import joined
from chainrule.estimators.monitoring import HeldOut
from chainrule.estimators.pieces import Ask, Cut, Piece, Pieces, check_for_pieces, travelling
from chainrule.estimators.pieces import survey as survey_of
from chainrule.estimators.realmlp_training import ROWS_TO_START_FROM, column_encoder
from chainrule.estimators.table_rows import TableRows
from chainrule.tables import Table, as_table
from chainrule.training.rows import check_weight
from chainrule.training.shuffling import permutation


def fit_pieces(estimator: Any, pieces: Pieces, validation_data: Any = None) -> Any:
    """Fit ``estimator``, a RealMLP, to all rows of ``pieces``, wherever they lie."""
    begin = perf_counter()
    estimator._check_parameters()
    check_for_pieces(estimator, validation_data)
    with unchanged_on_failure(estimator), checkpoints_of(estimator, incremental=False) as kept:
        classes = estimator._task == "classification"
        survey = survey_of(pieces, Ask(classes, _nothing, kept is not None))
        if survey.rows < 2:
            raise DataError(
                f"Found array with {survey.rows} sample(s) while a minimum of 2 is required."
            )
        y, weight = survey.targets.like()
        like = TableRows(Table((), rows=len(y)), estimator._targets(y), weight)
        if kept is not None:
            kept.same("data", survey.describe())
        random_state = random_state_from(kept, check_random_state(estimator.random_state))
        held_data = None if validation_data is None else estimator._given(validation_data)
        cut = Cut()
        if validation_data is None:
            seed = int(random_state.randint(2**31))
            cut = Cut.of(estimator.validation_fraction, survey.rows, seed)
        _learn_columns(estimator, survey.pieces, cut)
        estimator._learn_target(like)
        twin = travelling(estimator)
        if classes:
            twin.class_weight = survey.targets.class_weights(estimator.class_weight)
        each = max(1, -(-ROWS_TO_START_FROM // len(survey.seen)))
        some = joined(survey.pieces.each(Sample(twin, cut, each, int(random_state.randint(2**31)))))
        held = _held_out(estimator, survey.pieces, twin, cut, held_data)
        estimator._run(
            some,
            lambda network: (survey.pieces.rows(Prepare(twin, cut), network.objective), None, None),
            survey.rows,
            held,
            random_state,
            begin=begin,
            kept=kept,
        )
    return estimator


def _nothing(piece: Piece) -> None:
    return None


def _learn_columns(estimator: Any, pieces: Pieces, cut: Cut) -> None:
    encoder = column_encoder(estimator._training_preset(), estimator.types)
    estimator.encoder_ = encoder.fit_parts(lambda look: pieces.each(Look(look, cut)))
    estimator._take_names()


def _held_out(
    estimator: Any, pieces: Pieces, twin: Any, cut: Cut, given: TableRows | None
) -> HeldOut | None:
    if given is not None:
        return estimator._held_out(given)
    parts = [one for one in pieces.each(Held(twin, cut)) if one is not None]
    if sum(len(y) for _, y, _ in parts) < 2:
        return None  # one row has no spread to explain
    X, y, weight = (joined([part[i] for part in parts]) for i in range(3))
    return HeldOut(X, estimator._for_loss(y), y, estimator._told(y), weight)


@dataclass(frozen=True)
class Look:
    """Asks the table of a piece's training rows."""

    look: Callable[[Table], Any]
    cut: Cut

    def __call__(self, piece: Piece) -> Any:
        return self.look(as_table(self.cut.train(piece).X))


@dataclass(frozen=True)
class Prepare:
    """Makes of a piece what is trained on: encoded columns, targets, weights."""

    estimator: Any
    cut: Cut

    def __call__(self, piece: Piece) -> tuple[Any, np.ndarray, np.ndarray | None]:
        inputs, y, weight = encoded(self.estimator, self.cut.train(piece))
        return inputs, self.estimator._for_loss(y), weight


@dataclass(frozen=True)
class Held:
    """The rows of a piece that are held back: inputs, targets, weights; None where none are."""

    estimator: Any
    cut: Cut

    def __call__(self, piece: Piece) -> Any:
        piece = self.cut.held(piece)
        return encoded(self.estimator, piece) if len(piece.y) else None


@dataclass(frozen=True)
class Sample:
    """The inputs of up to ``rows`` training rows of a piece, for θ to start from."""

    estimator: Any
    cut: Cut
    rows: int
    seed: int

    def __call__(self, piece: Piece) -> dict[str, np.ndarray]:
        piece = self.cut.train(piece)
        rows = len(piece.y)
        some = permutation(rows, self.seed, piece.number, 0, min(rows, self.rows))
        return encoded(self.estimator, piece.take(some))[0]


def encoded(estimator: Any, piece: Piece) -> tuple[dict[str, np.ndarray], np.ndarray, Any]:
    """A piece's inputs, targets and weights, in numbers."""
    weight = estimator._weights_of(piece.y, check_weight(piece.weight, len(piece.y)))
    inputs = estimator._inputs(estimator._encode(piece.X))
    return inputs, estimator._targets_again(piece.y), weight
