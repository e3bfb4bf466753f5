"""One temperature that makes probabilities mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

LIMIT = 5.0
"""Of |log T|: beyond, probabilities are even or certain."""


def find_temperature(scores: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    """T that minimises Σ w_i (−log softmax(scores_i / T)[y_i]) + ½ (log T)².

    Temperature scaling (Guo, Pleiss, Sun, Weinberger 2017), with a standard normal prior of log T:
    a few rows that all happen to be right do not make certainty of their scores.

    Parameters
    ----------
    scores : ndarray of shape (rows, classes)
        Of rows that were not trained on.
    y : ndarray of shape (rows,)
        Numbers of their classes.
    weight : ndarray of shape (rows,), optional
    """
    scores = np.asarray(scores, np.float64)
    if not len(scores) or not np.all(np.isfinite(scores)):
        return 1.0
    w = np.ones(len(scores)) if weight is None else weight
    margins = scores - scores[np.arange(len(scores)), y][:, None]

    def cost(log_temperature: float) -> float:
        losses = np.asarray(logsumexp(margins * np.exp(-log_temperature), axis=1))
        return float(np.dot(w, losses)) + 0.5 * log_temperature**2

    found: Any = minimize_scalar(cost, bounds=(-LIMIT, LIMIT), method="bounded")
    return float(np.exp(found.x))
