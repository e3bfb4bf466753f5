"""Weights of classes as weights of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight


def with_class_weights(class_weight: Any, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
    """w_i · (weight of the class of row i); scikit-learn's rules for ``class_weight``.

    "balanced" gives every class the same total weight. For a table of labels ``class_weight`` is
    a list of one dictionary a column, and "balanced" counts rows.
    """
    if class_weight is None:
        return weight
    if getattr(y, "ndim", 1) == 2:
        of_row = compute_sample_weight(class_weight, y)
    else:
        classes, number = np.unique(y, return_inverse=True)
        of_row = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weight)[
            number
        ]
    return of_row if weight is None else weight * of_row
