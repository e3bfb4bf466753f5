"""Scores of the epochs: R² computed again and again is scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from chainrule.estimators.monitoring import Determination


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(40,), (40, 1), (40, 3)])
def test_determination_is_that_of_scikit_learn(shape, weighted):
    rng = np.random.default_rng(0)
    y = rng.normal(size=shape)
    weight = rng.uniform(0, 2, 40) if weighted else None
    again = Determination(y, weight)
    for scale in (0.0, 0.1, 3.0):
        predicted = y + scale * rng.normal(size=shape)
        expected = r2_score(y, predicted, sample_weight=weight)
        assert again(predicted) == pytest.approx(expected, rel=1e-12)


def test_determination_of_targets_that_are_all_the_same():
    y = np.stack([np.full(6, 2.0), np.arange(6.0)], axis=1)
    again = Determination(y, None)
    for missed in (0.0, 1.0):
        predicted = y + missed * np.array([1.0, 0.0])
        assert again(predicted) == r2_score(y, predicted)


def test_determination_of_one_row_warns_as_scikit_learn_does():
    with pytest.warns(UserWarning, match="less than two samples"):
        assert np.isnan(Determination(np.ones(1), None)(np.ones(1)))
