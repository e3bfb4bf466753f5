"""The embedded digits: the same rows as scikit-learn's, split reproducibly by class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets as sklearn_datasets

from chainrule.datasets import load_digits
from chainrule.errors import OptionError


def sorted_rows(X, y):
    table = np.column_stack([X, y])
    return table[np.lexsort(table.T)]


def test_the_two_parts_are_scikit_learns_rows():
    data = load_digits()
    X, y = sklearn_datasets.load_digits(return_X_y=True)
    ours = sorted_rows(
        np.concatenate([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])
    )
    np.testing.assert_array_equal(ours, sorted_rows(X, y))
    assert data.X_train.max() == data.maximum == 16.0
    assert data.image_shape == (8, 8)
    assert (data.n_features, data.n_classes) == (64, 10)


def test_every_class_is_split_alike():
    data = load_digits(test_size=0.25)
    share = np.bincount(data.y_test) / (np.bincount(data.y_train) + np.bincount(data.y_test))
    np.testing.assert_allclose(share, 0.25, atol=0.01)


def test_the_seed_decides_the_split():
    np.testing.assert_array_equal(load_digits().X_test, load_digits(random_state=0).X_test)
    assert not np.array_equal(load_digits().y_test, load_digits(random_state=1).y_test)


def test_the_summary_is_one_line():
    expected = (
        "digits: 1347 rows to learn from, 450 to test with, 64 columns (8 × 8) of float64, "
        "10 classes"
    )
    assert repr(load_digits()) == expected


@pytest.mark.parametrize("test_size", [0, 1, 1.5, -0.1, "a", None, 450, float("nan")])
def test_a_share_outside_0_and_1_is_refused(test_size):
    with pytest.raises(OptionError, match="test_size: expected a number between 0 and 1"):
        load_digits(test_size=test_size)
