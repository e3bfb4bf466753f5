"""Fitting a perceptron or a linear classifier to numbers in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.base import is_classifier

from chainrule.errors import DataError, describe
from chainrule.estimators.base import unchanged_on_failure
from chainrule.estimators.checkpointing import checkpoints_of, random_state_from
from chainrule.estimators.data import check_rows_and_target
from chainrule.estimators.generators import check_random_state
from chainrule.estimators.monitoring import HeldOut, watchers
from chainrule.estimators.pieces import Ask, Cut, Piece, Pieces, Seen, check_for_pieces, travelling
from chainrule.estimators.pieces import survey as survey_of
from chainrule.estimators.rules import is_mini_batch
from chainrule.estimators.solving import Rows, Run
from chainrule.training.rows import check_weight


def fit_pieces(estimator: Any, pieces: Pieces, validation_data: Any = None) -> Any:
    """Fit ``estimator`` to all rows of ``pieces``, wherever they lie.

    The steps are those of ``fit``; what is learned of columns and classes is that of all pieces.
    """
    estimator._check_parameters()
    given = estimator.validation_data if validation_data is None else validation_data
    check_for_pieces(estimator, given)
    with unchanged_on_failure(estimator), checkpoints_of(estimator, incremental=False) as kept:
        first = not (estimator.warm_start and estimator._has_arrays())
        twin = travelling(estimator)
        classes = is_classifier(estimator)
        survey = survey_of(pieces, Ask(classes, Columns(twin), kept is not None))
        dtype = _take_columns(estimator, survey.seen, first)
        like = survey.targets.like()[0]
        estimator._learn_target(like, first=first, incremental=False, classes=None)
        if kept is not None:
            kept.same("data", survey.describe())
        random_state = random_state_from(kept, check_random_state(estimator.random_state))
        network = estimator._make_network(estimator.n_features_in_, survey.weight, first)
        theta0 = estimator._start(network, random_state, dtype, first)
        twin = travelling(estimator)
        if classes:
            asked = estimator.class_weight
            twin.class_weight = survey.targets.class_weights(asked)
        stops = bool(estimator.early_stopping) and is_mini_batch(estimator)
        cut, held = Cut(), None
        if given is not None:
            held = estimator._given_rows(given)
        elif stops:
            seed = int(random_state.randint(2**31))
            cut = Cut.of(estimator.validation_fraction, survey.rows, seed)
            held = _gathered(survey.pieces.each(Held(twin, cut)))
        judge = None if held is None else estimator._judge(network, held)
        run = Run(
            random_state=random_state,
            validation=judge if stops else None,
            callbacks=watchers(estimator, network, None if stops else judge, None, None, None),
            memory=None if first else estimator._memory,
            penalty_scale=estimator._penalty_scale,
            loss_parts=estimator._loss_parts,
            options=estimator._solver_options,
            kept=kept,
        )
        rows = survey.pieces.rows(Prepare(twin, cut), network.objective)
        result = estimator._train(network, theta0, Rows(rows, None), run)  # type: ignore[arg-type]  # pieces
        estimator._keep(network, result, first)
    return estimator


@dataclass(frozen=True)
class Columns:
    """Asks a piece for its columns: how many, their names, their precision."""

    estimator: Any

    def __call__(self, piece: Piece) -> tuple[int, Any, np.dtype]:
        estimator = self.estimator._twin()
        X, _ = _checked(estimator, piece, reset=True)
        return X.shape[1], getattr(estimator, "feature_names_in_", None), X.dtype


@dataclass(frozen=True)
class Prepare:
    """Makes of a piece what is trained on: rows, targets as the loss reads them, weights."""

    estimator: Any
    cut: Cut

    def __call__(self, piece: Piece) -> tuple[Any, np.ndarray, np.ndarray | None]:
        estimator = self.estimator._twin()
        X, y = _checked(estimator, self.cut.train(piece), reset=False)
        weight = check_weight(self.cut.train(piece).weight, len(y))
        encoded = estimator._encode_again(y)
        return X, estimator._for_loss(encoded), estimator._row_weights(y, weight)


@dataclass(frozen=True)
class Held:
    """The rows of a piece that are held back, as a validation reads them; None where none are."""

    estimator: Any
    cut: Cut

    def __call__(self, piece: Piece) -> HeldOut | None:
        piece = self.cut.held(piece)
        if not len(piece.y):
            return None
        estimator = self.estimator._twin()
        X, y = _checked(estimator, piece, reset=False)
        encoded = estimator._encode_again(y)
        weight = estimator._row_weights(y, check_weight(piece.weight, len(y)))
        return HeldOut(X, estimator._for_loss(encoded), encoded, y, weight)


def _checked(estimator: Any, piece: Piece, *, reset: bool) -> tuple[Any, np.ndarray]:
    numeric = estimator._numeric_target
    return check_rows_and_target(estimator, piece.X, piece.y, reset=reset, numeric=numeric)


def _take_columns(estimator: Any, seen: list[Seen], first: bool) -> np.dtype:
    """Take note of the columns, which must be the same in all pieces; their common precision."""
    width, names, _ = seen[0].more
    if not first:
        _check_same_columns(estimator, width, names)
    for number, one in enumerate(seen):
        if one.more[0] != width:
            came = f"{one.more[0]} in partition {number}"
            raise DataError(describe("X", f"{width} columns as in the first partition", came))
        if _listed(one.more[1]) != _listed(names):
            came = f"others in partition {number}"
            raise DataError(describe("X", "the column names of the first partition", came))
    estimator.n_features_in_ = width
    vars(estimator).pop("feature_names_in_", None)
    if names is not None:
        estimator.feature_names_in_ = names
    return np.result_type(*(one.more[2] for one in seen))


def _check_same_columns(estimator: Any, width: int, names: Any) -> None:
    """Refuse to go on from a fit to other columns."""
    remedy = "Fit anew with warm_start=False."
    if width != estimator.n_features_in_:
        expected = f"{estimator.n_features_in_} columns as in the last fit"
        raise DataError(describe("X", expected, width, remedy))
    if _listed(names) != _listed(getattr(estimator, "feature_names_in_", None)):
        expected = "the column names of the last fit"
        raise DataError(describe("X", expected, _listed(names) or "none", remedy))


def _listed(names: Any) -> list[str]:
    return [] if names is None else list(names)


def _gathered(parts: list[HeldOut | None]) -> HeldOut:
    """The rows held back of all pieces as one."""
    known = [one for one in parts if one is not None]
    if sum(len(one.y) for one in known) < 2:
        raise DataError(
            "The validation set is too small. Increase 'validation_fraction' "
            "or the size of your dataset."
        )
    together = {
        name: joined([getattr(one, name) for one in known])
        for name in ("X", "y", "encoded", "told", "weight")
    }
    return HeldOut(**together)


def joined(parts: list[Any]) -> Any:
    """Arrays, sparse matrices or mappings of them, one below the other; None stays None."""
    if parts[0] is None:
        return None
    if isinstance(parts[0], dict):
        return {name: joined([one[name] for one in parts]) for name in parts[0]}
    if scipy.sparse.issparse(parts[0]):
        return scipy.sparse.vstack(parts, format="csr")
    return np.concatenate(parts)
