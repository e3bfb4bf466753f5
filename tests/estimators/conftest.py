"""Small data sets that the tests of estimators share."""

import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """300 digits, pixels in [0, 1]."""
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


@pytest.fixture(scope="session")
def two_digits(digits):
    """Zeros and ones among them."""
    X, y = digits
    return X[y < 2], y[y < 2]


@pytest.fixture(scope="session")
def values():
    """200 rows of 4 columns, one smooth value each."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2]
