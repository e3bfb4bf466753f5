"""A table in pieces that lie elsewhere: what a fit asks each of them before it can train.

Columns, classes and weights are learned from all pieces together; then each is prepared where it
lies. A ``Pieces`` knows where that is: in files, or on the workers of a cluster.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from importlib import import_module
from typing import Any, Self

import numpy as np

from chainrule.errors import DataError, OptionError, describe
from chainrule.estimators.target_sums import Targets
from chainrule.training import Objective, Partitions
from chainrule.training.identity import digest
from chainrule.training.rows import check_weight
from chainrule.training.shuffling import permutation

MOST_HELD = 100_000
"""Rows that are held back to validate on, at most: they come to the machine that calls ``fit``."""


@dataclass(frozen=True)
class Piece:
    """Some rows: X as ``fit`` takes it, targets, weights or None; and which piece they are."""

    number: int
    X: Any
    y: np.ndarray
    weight: np.ndarray | None = None

    def take(self, where: np.ndarray) -> Piece:
        """These rows alone."""
        X = self.X.iloc[where] if hasattr(self.X, "iloc") else self.X[where]
        return replace(self, X=X, y=self.y[where], weight=_taken(self.weight, where))


def _taken(array: np.ndarray | None, where: np.ndarray) -> np.ndarray | None:
    return None if array is None else array[where]


class Pieces(ABC):
    """A table in pieces. What is asked of them is sent there, so it must be fit to be pickled."""

    @abstractmethod
    def each(self, ask: Callable[[Piece], Any]) -> list[Any]:
        """``ask(piece)`` of every piece, in order; what it raises names the piece."""

    @abstractmethod
    def rows(
        self, prepare: Callable[[Piece], tuple[Any, np.ndarray, Any]], objective: Objective
    ) -> Partitions:
        """What is trained on: ``prepare(piece)`` is (inputs, y, weight) as ``objective`` reads."""

    @abstractmethod
    def only(self, numbers: Sequence[int]) -> Self:
        """These pieces alone, numbered anew."""


@dataclass(frozen=True)
class Seen:
    """What a piece tells of itself: rows, Σ w, targets, and a digest for checkpoints."""

    rows: int
    weight: float
    targets: Targets | None
    content: str
    more: Any = None


@dataclass(frozen=True)
class Ask:
    """The question that a piece answers with ``Seen``; ``more`` asks what the estimator wants."""

    classes: bool
    more: Callable[[Piece], Any]
    with_digest: bool

    def __call__(self, piece: Piece) -> Seen:
        rows = len(piece.y)
        weight = check_weight(piece.weight, rows)
        if not rows:
            return Seen(0, 0.0, None, "")
        told = digest(np.asarray(piece.y)) if self.with_digest else ""
        total = float(rows) if weight is None else float(weight.sum())
        targets = Targets.of(piece.y, weight, self.classes)
        return Seen(rows, total, targets, told, self.more(piece))


@dataclass(frozen=True)
class Survey:
    """What all pieces together have told.

    Attributes
    ----------
    pieces : Pieces
        Those that have rows.
    seen : list of Seen
        One each.
    targets : Targets
    """

    pieces: Any
    seen: list[Seen]
    targets: Targets

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(one.rows for one in self.seen)

    @property
    def weight(self) -> float:
        """Σ w."""
        return sum(one.weight for one in self.seen)

    def describe(self) -> dict[str, str]:
        """What a checkpoint compares."""
        content = hashlib.sha256(" ".join(one.content for one in self.seen).encode()).hexdigest()
        sizes = " ".join(str(one.rows) for one in self.seen)
        return {"rows of each partition": sizes, "targets": f"SHA-256 {content[:16]}"}


def survey(pieces: Pieces, ask: Ask) -> Survey:
    """Ask all pieces; leave out those without rows.

    Raises
    ------
    DataError
        There are no rows, or no row has weight.
    """
    seen = pieces.each(ask)
    known = [number for number, one in enumerate(seen) if one.rows]
    if not known:
        raise DataError(describe("X", "at least one row", f"none in {len(seen)} partitions"))
    if len(known) < len(seen):
        pieces, seen = pieces.only(known), [seen[number] for number in known]
    found = Survey(pieces, seen, reduce(Targets.plus, (one.targets for one in seen)))
    if not found.weight > 0:
        raise DataError(describe("sample_weight", "a weight above 0 in some row", "none"))
    return found


@dataclass(frozen=True)
class Cut:
    """Which rows of a piece are held back: a share of each, drawn by a seed."""

    seed: int = 0
    share: float = 0.0

    @classmethod
    def of(cls, fraction: float, rows: int, seed: int) -> Self:
        """``fraction`` of all rows, ``MOST_HELD`` at most."""
        return cls(seed, min(fraction, MOST_HELD / rows))

    def train(self, piece: Piece) -> Piece:
        """The rows to train on, in their order."""
        if not self.share:
            return piece
        keep = np.ones(len(piece.y), bool)
        keep[self._held(piece)] = False
        return piece.take(np.flatnonzero(keep))

    def held(self, piece: Piece) -> Piece:
        """The rows held back."""
        return piece.take(np.sort(self._held(piece)))

    def _held(self, piece: Piece) -> np.ndarray:
        rows = len(piece.y)
        return permutation(rows, self.seed, piece.number, 0, int(self.share * rows))


def lies_elsewhere(X: Any, y: Any) -> bool:
    """Whether X is a Dask collection, or names files of which y names a column."""
    if type(X).__module__.partition(".")[0] == "dask":
        return True
    return isinstance(X, (str, os.PathLike)) and isinstance(y, str)


def fit_elsewhere(estimator: Any, X: Any, y: Any, sample_weight: Any, validation_data: Any) -> Any:
    """``chainrule.cluster.fit``, which knows where the rows are."""
    # by way of the package, whose list of public names is the one place of deferred imports
    cluster = import_module("chainrule").cluster
    return cluster.fit(
        estimator, X, y, sample_weight=sample_weight, validation_data=validation_data
    )


def check_for_pieces(estimator: Any, validation_data: Any) -> None:
    """Refuse options that need all rows in one place."""
    held = getattr(estimator, "early_stopping", True) and validation_data is None
    if estimator.scoring is not None and held:
        expected = "None, or validation_data=(X, y) to score"
        raise OptionError(describe("scoring with rows in partitions", expected, estimator.scoring))


def travelling(estimator: Any) -> Any:
    """A twin without what cannot or need not travel: callbacks, folders, data, an earlier θ."""
    twin = estimator._twin()
    for name in ("callbacks", "checkpoint", "validation_data"):
        if hasattr(twin, name):
            setattr(twin, name, None)
    shown = ()
    if hasattr(twin, "_network"):
        shown = twin._show(twin._network, twin.parameters_)
    for name in ("_skl_callbacks", "_network", "_theta", "_views", "_made_for", "_memory", *shown):
        vars(twin).pop(name, None)
    return twin
