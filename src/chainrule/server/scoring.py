"""How well the answers fit: scores and confusion."""

from __future__ import annotations

import math

import numpy as np


def score(predicted: np.ndarray, labels: np.ndarray, is_classification: bool) -> float:
    """Share of right answers; R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)² for values."""
    if is_classification:
        return float(np.mean(predicted == labels))
    spread = float(np.sum((labels - labels.mean()) ** 2))
    with np.errstate(all="ignore"):
        error = float(np.sum((labels - predicted.astype(np.float64)) ** 2))
    return 1 - error / spread if spread > 0 else math.nan


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """How often class i (row) was taken for class j (column)."""
    pairs = labels.astype(np.int64) * classes + predicted.astype(np.int64) if classes else []
    return np.bincount(np.asarray(pairs, np.int64), minlength=classes**2).reshape(classes, classes)
