"""scikit-learn's own tests of its perceptrons, run on ours.

The installed test module is run with ``MLPClassifier`` and ``MLPRegressor`` swapped for ours. Tests
that reach into private names of scikit-learn's classes are left out; each is listed with them.
"""

import importlib.util
import inspect
import re
import sys
from types import ModuleType
from unittest import mock

import pytest
import sklearn.neural_network

from chainrule.estimators import MLPClassifier, MLPRegressor

NAME = "sklearn.neural_network.tests.test_mlp"

LEFT_OUT = {
    "test_gradient": "_loss_grad_lbfgs",
    "test_learning_rate_warmstart": "_optimizer",
    "test_adaptive_learning_rate": "_optimizer",
    "test_n_iter_no_change": "_no_improvement_count",
    "test_n_iter_no_change_inf": "_no_improvement_count",
}
"""Tests left out, and the private name that each reads."""

# scikit-learn's tests are not written for warnings as errors
pytestmark = pytest.mark.filterwarnings("default")


def load_with_our_classes() -> ModuleType:
    """The installed test module, its two classes ours from the first line on."""
    spec = importlib.util.find_spec(NAME)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    ours = mock.patch.multiple(
        sklearn.neural_network, MLPClassifier=MLPClassifier, MLPRegressor=MLPRegressor
    )
    with ours:
        spec.loader.exec_module(module)
    return module


SUITE = load_with_our_classes()
TESTS = {name: test for name, test in vars(SUITE).items() if name.startswith("test_")}
for _name, _test in TESTS.items():
    if _name not in LEFT_OUT:
        setattr(sys.modules[__name__], _name, _test)


@pytest.fixture
def global_random_seed() -> int:
    """scikit-learn's fixture of this name, which its configuration defines."""
    return 42


def test_the_suite_runs_our_classes():
    assert SUITE.MLPClassifier is MLPClassifier
    assert SUITE.MLPRegressor is MLPRegressor
    assert len(TESTS) > 40


@pytest.mark.parametrize(("test", "private"), LEFT_OUT.items())
def test_left_out_tests_read_private_names(test, private):
    assert re.search(rf"\b(mlp|clf)\.{private}\b", inspect.getsource(TESTS[test]))
