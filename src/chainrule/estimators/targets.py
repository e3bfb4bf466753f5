"""Labels and values: as people give them, as the loss reads them, and back.

Classes are numbered in sorted order. Two classes make one output (the second class against the
first), more make one each, a table of labels one output a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from chainrule.errors import DataError, LabelError


@dataclass(frozen=True)
class Labels:
    """What classes there are and how they are coded.

    Attributes
    ----------
    classes : ndarray
        Sorted; for a table of labels the numbers of its columns.
    kind : {"binary", "multiclass", "multilabel"}
    sparse : bool
        Whether a table of labels came as a sparse matrix, and so goes back as one.
    """

    classes: np.ndarray
    kind: str
    sparse: bool = False

    @property
    def outputs(self) -> int:
        """Columns of the scores."""
        return 1 if self.kind == "binary" else len(self.classes)

    def encode(self, y: Any) -> np.ndarray:
        """Numbers of the classes (rows,), or the table of labels (rows, classes) as 0 and 1.

        Raises
        ------
        LabelError
            When there is a label that is not one of the classes.
        """
        if self.kind == "multilabel":
            table = y.toarray() if scipy.sparse.issparse(y) else np.asarray(y)
            if table.ndim != 2 or table.shape[1] != len(self.classes):
                raise LabelError(
                    f"y must be a table of {len(self.classes)} columns of labels, "
                    f"as in the first fit; got shape {table.shape}"
                )
            return (table != 0).astype(np.int64)
        y = np.asarray(y)
        where = np.minimum(np.searchsorted(self.classes, y), len(self.classes) - 1)
        strangers = self.classes[where] != y
        if np.any(strangers):
            came = unique_labels(y)
            raise LabelError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. "
                f"'y' has {came}."
            )
        return where

    def decode(self, scores: np.ndarray) -> Any:
        """The class with the highest score of each row; the labels with a score above 0."""
        if self.kind == "multilabel":
            table = (scores > 0).astype(np.int64)
            return scipy.sparse.csr_matrix(table) if self.sparse else table
        if self.kind == "binary":
            return self.classes[self._second(scores).astype(np.intp)]
        return self.classes[scores.argmax(axis=1)]

    def same_as(self, scores: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        """Which rows are predicted right, for ``encoded`` as ``encode`` gives it."""
        if self.kind == "multilabel":
            return ((scores > 0) == (encoded > 0)).all(axis=1)
        if self.kind == "binary":
            return self._second(scores) == (encoded > 0)
        return scores.argmax(axis=1) == encoded

    def _second(self, scores: np.ndarray) -> np.ndarray:
        """Which rows are of the second of two classes; none where there is only one."""
        return (scores.reshape(-1) > 0) & (len(self.classes) > 1)


def find_labels(owner: str, y: Any, *, multilabel: bool = True) -> Labels:
    """The classes in ``y``.

    Raises
    ------
    ValueError
        As scikit-learn: for targets that are not classes.
    """
    check_one_kind(y)
    if type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "iub":
        found = np.unique(y)
        if 2 * len(found) <= len(y):  # else scikit-learn has something to say
            return _labels_of(found)  # nothing more to find out, and small fits are short
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator" and multilabel:
        return Labels(np.arange(y.shape[1]), "multilabel", bool(scipy.sparse.issparse(y)))
    if kind not in ("binary", "multiclass"):
        raise DataError(
            f"Multioutput target data is not supported by {owner}: y must hold one class a row"
            f"{' or a table of 0 and 1' if multilabel else ''}; it is of the type {kind!r}"
        )
    return labels_from_classes(unique_labels(y))


class MixedLabelsError(LabelError, TypeError):
    """Labels that cannot be put in order; a TypeError, too, as scikit-learn's perceptrons raise."""


def check_one_kind(y: Any) -> None:
    """Refuse objects that are not all text or all numbers, a missing label among them.

    Raises
    ------
    MixedLabelsError
        Naming the first row that differs.
    """
    labels = y if isinstance(y, np.ndarray) else np.asarray(y, dtype=object)
    if scipy.sparse.issparse(y) or labels.dtype != object or labels.ndim != 1:
        return
    for row, label in enumerate(labels):
        if label is None:
            raise MixedLabelsError(
                f"y holds None in row {row}; every row needs a class. Leave such rows out, or "
                "give them a class of their own."
            )
        if isinstance(label, str) != isinstance(labels[0], str):
            raise MixedLabelsError(
                f"y holds text and numbers: {labels[0]!r} in row 0, {label!r} in row {row}. "
                "Classes must be all of one kind, for instance y.astype(str)."
            )


def labels_from_classes(classes: Any) -> Labels:
    """Labels for a list of classes (``partial_fit``)."""
    return _labels_of(unique_labels(classes))


def _labels_of(found: np.ndarray) -> Labels:
    return Labels(found, "binary" if len(found) <= 2 else "multiclass")


def check_same_classes(labels: Labels, y: Any) -> None:
    """Refuse a warm start on other classes than those of the last fit.

    Raises
    ------
    DataError
    """
    came = unique_labels(y)
    if set(came.tolist()) != set(labels.classes.tolist()):
        raise DataError(
            "warm_start can only be used where `y` has the same classes as in the previous call "
            f"to fit. Previously got {labels.classes}, `y` has {came}"
        )


def smooth(encoded: np.ndarray, amount: float) -> np.ndarray:
    """t (1 − ε) + ε/2: labels 0 and 1 as probabilities nearer to one half."""
    return encoded if amount == 0 else encoded * (1.0 - amount) + amount / 2


def one_column_a_class(encoded: np.ndarray, classes: Sequence[Any] | np.ndarray) -> np.ndarray:
    """A table (rows, classes): 1 in the column of the row's class."""
    return (encoded[:, None] == np.arange(len(classes))).astype(np.int64)
