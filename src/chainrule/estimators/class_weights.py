"""Weights of classes as weights of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight


def with_class_weights(class_weight: Any, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
    """w_i · (weight of the class of row i); scikit-learn's rules for ``class_weight``.

    "balanced" counts rows, not their weights.
    """
    if class_weight is None:
        return weight
    of_class = compute_sample_weight(class_weight, y)
    return of_class if weight is None else weight * of_class
