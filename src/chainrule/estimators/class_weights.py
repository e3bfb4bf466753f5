"""Weights of classes as weights of rows."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from chainrule.errors import DataError, OptionError


def with_class_weights(class_weight: Any, y: Any, weight: np.ndarray | None) -> np.ndarray | None:
    """w_i · (weight of the class of row i); scikit-learn's rules for ``class_weight``.

    "balanced" gives every class the same total weight. For a table of labels ``class_weight`` is
    a list of one dictionary a column, and "balanced" counts rows.
    """
    if class_weight is None:
        return weight
    for weights in class_weight if isinstance(class_weight, (list, tuple)) else [class_weight]:
        _check_weights(weights)
    if getattr(y, "ndim", 1) == 2:
        of_row = compute_sample_weight(class_weight, y)
    else:
        classes, number = np.unique(y, return_inverse=True)
        of_row = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weight)[
            number
        ]
    of_row = of_row if weight is None else weight * of_row
    if not np.any(of_row > 0):
        raise DataError(
            "class_weight: the weights of all rows are 0, so there is nothing to learn from; give "
            "a weight > 0 to a class that y has"
        )
    return of_row


def _check_weights(weights: Any) -> None:
    """Refuse weights of classes that are not finite numbers ≥ 0.

    Raises
    ------
    OptionError
    """
    for name, value in weights.items() if isinstance(weights, dict) else ():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not (number and 0 <= float(value) < math.inf):
            raise OptionError(
                f"class_weight: expected a finite number ≥ 0 for each class; came {value!r} for "
                f"class {name!r}"
            )
