"""The 8 × 8 digit images that come with scikit-learn: no download, 1797 rows."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from chainrule.datasets.dataset import Dataset
from chainrule.errors import OptionError, describe

__all__ = ["load_digits"]


def load_digits(test_size: float = 0.25, random_state: int = 0) -> Dataset:
    """1797 images of 8 × 8 digits, split by class into rows to learn from and to test with.

    Parameters
    ----------
    test_size : float
        The share of rows to test with, between 0 and 1.
    random_state : int
        The seed of the split: the same seed gives the same rows.

    Returns
    -------
    Dataset
        X in float64, ink counts 0 ... 16; y the digit.

    References
    ----------
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (its test part).
    """
    if not isinstance(test_size, Real) or not 0.0 < test_size < 1.0:
        raise OptionError(describe("test_size", "a number between 0 and 1", repr(test_size)))
    X, y = datasets.load_digits(return_X_y=True)
    parts = train_test_split(X, y, test_size=test_size, random_state=random_state, stratify=y)
    X_train, X_test, y_train, y_test = map(np.asarray, parts)
    return Dataset("digits", X_train, y_train, X_test, y_test, image_shape=(8, 8), maximum=16.0)
