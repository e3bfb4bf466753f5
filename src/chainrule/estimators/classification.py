"""What classifiers have in common: classes, their weights, heads for them, and prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from chainrule.errors import DataError, OptionError
from chainrule.estimators.class_weights import with_class_weights
from chainrule.estimators.network import Head, NamedLoss
from chainrule.estimators.rules import is_mini_batch
from chainrule.estimators.targets import (
    Labels,
    check_same_classes,
    find_labels,
    labels_from_classes,
    smooth,
)
from chainrule.ops import ROWS


class Classification(ClassifierMixin):
    """The side of an estimator that knows about classes; goes before its base class."""

    _labels: Labels
    _multilabel = True
    classes_: np.ndarray
    n_outputs_: int
    warm_start: bool
    class_weight: Any
    label_smoothing: float
    # of the base class that it goes before
    _fit: Callable[..., Any]
    _scores: Callable[[Any], np.ndarray]
    predict_proba: Callable[[Any], np.ndarray]

    # targets -----------------------------------------------------------------------------

    def _learn_target(self, y: Any, *, first: bool, incremental: bool, classes: Any) -> np.ndarray:
        if incremental:
            self._learn_classes(classes, y)
        known = getattr(self, "_labels", None)
        if known is None or not (incremental or self.warm_start):
            self._labels = find_labels(type(self).__name__, y, multilabel=self._multilabel)
        elif self.warm_start:
            check_same_classes(known, y)
        self.classes_ = self._labels.classes
        encoded = self._labels.encode(y)
        self.n_outputs_ = self._labels.outputs
        return encoded

    def _learn_classes(self, classes: Any, y: Any) -> None:
        """The classes told to ``partial_fit``, which the first call needs."""
        if self.class_weight == "balanced":
            raise OptionError(
                "class_weight='balanced' needs all rows at once, which partial_fit does not see; "
                "give a dict of weights"
            )
        if getattr(self, "_labels", None) is None:
            if getattr(y, "ndim", 1) == 2:
                self._labels = find_labels(type(self).__name__, y, multilabel=self._multilabel)
            elif classes is None:
                raise DataError("classes must be passed on the first call to partial_fit.")
            else:
                self._labels = labels_from_classes(classes)
        elif classes is not None and getattr(y, "ndim", 1) == 1:
            told = labels_from_classes(classes).classes
            if not np.array_equal(told, self._labels.classes):
                raise DataError(
                    f"`classes={told!r}` is not the same as on last call to partial_fit, "
                    f"was: {self._labels.classes!r}"
                )

    @property
    def _judged_labels(self) -> Labels:
        return self._labels

    def _encode_again(self, y: Any) -> np.ndarray:
        return self._labels.encode(y)

    def _for_loss(self, encoded: np.ndarray) -> np.ndarray:
        if self._labels.kind == "multiclass":
            return encoded  # the softmax loss smooths labels itself
        return smooth(encoded, self.label_smoothing)

    def _row_weights(self, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
        return with_class_weights(self.class_weight, y, weight)

    def _stratify(self, encoded: np.ndarray) -> np.ndarray | None:
        # scikit-learn stratifies two classes only
        return encoded.reshape(-1, 1).astype(bool) if self._labels.kind == "binary" else None

    def _softmax_head(self) -> Head:
        smoothing = ("label_smoothing", float(self.label_smoothing))
        loss = NamedLoss("softmax_cross_entropy", (smoothing,))
        return Head(self._labels.outputs, "softmax", loss, (ROWS,), int)

    def _sigmoid_head(self) -> Head:
        loss = NamedLoss("binary_cross_entropy_with_logits")
        outputs = self._labels.outputs
        shape = (ROWS,) if self._labels.kind == "binary" else (ROWS, outputs)
        return Head(outputs, "logistic", loss, shape)

    def _two_columns(self, p: np.ndarray) -> np.ndarray:
        """Probabilities of both classes where the network gives that of the second."""
        if self._labels.kind != "binary":
            return p
        return np.concatenate([1 - p, p], axis=1)

    # what users call ---------------------------------------------------------------------

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> Self:
        """Fit to rows X (array, data frame or sparse matrix) and their classes y.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (rows, columns)
        y : array-like of shape (rows,), or (rows, labels) of 0 and 1
        sample_weight : array-like of shape (rows,), optional
        validation_data : pair (X, y), optional
            Rows to score each epoch on.
        """
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    @available_if(is_mini_batch)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """One epoch over these rows, going on from where training stands.

        ``classes`` lists all classes; the first call needs it, unless y is a table of labels.
        """
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: Any) -> Any:
        """The class of each row, or a table of labels."""
        scores = self._scores(X)
        return self._labels.decode(scores)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of ``predict_proba``."""
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(p, out=p)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
