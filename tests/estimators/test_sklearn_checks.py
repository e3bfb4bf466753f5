"""scikit-learn's own checks of what an estimator must do, without exceptions."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import engine
from chainrule.estimators import (
    MLPClassifier,
    MLPRegressor,
    OneVsAllClassifier,
    RealMLPClassifier,
    RealMLPRegressor,
    SoftmaxClassifier,
)

# the checks fit a few rows for a few epochs and do not look at convergence
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


CHECKS = parametrize_with_checks(
    [
        MLPClassifier(),
        MLPRegressor(),
        OneVsAllClassifier(),
        SoftmaxClassifier(),
        # of the recipe's 256 epochs a few; all of them among the slow tests
        RealMLPClassifier(n_epochs=16),
        RealMLPRegressor(n_epochs=64),
    ]
)


# older scikit-learns hand pytest a generator, which newer pytests refuse
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_estimator(estimator, check):
    run(estimator, check)


SLOW = parametrize_with_checks([RealMLPClassifier(), RealMLPRegressor()])


@pytest.mark.slow
@pytest.mark.parametrize(SLOW.args[0], list(SLOW.args[1]), **SLOW.kwargs)
def test_estimator_as_published(estimator, check):
    run(estimator, check)


def run(estimator, check):
    name = getattr(check, "func", check).__name__
    by_rows = name == "check_methods_subset_invariance"
    if by_rows and isinstance(estimator, RealMLPRegressor) and not engine.available():
        pytest.skip(
            "the check compares with 1e-7; without the engine float32 products come from BLAS, "
            "which rounds by the number of rows"
        )
    check(estimator)
