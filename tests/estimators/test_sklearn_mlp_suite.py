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
    assert private.startswith("_")
    assert hasattr(sklearn.neural_network.MLPClassifier(), private) or private in inspect.getsource(
        sklearn.neural_network.MLPClassifier.__mro__[2]
    )


PRIVATE = re.compile(r"^\s*(?:from|import)\s+(sklearn(?:\.\w+)*\._\w+)", re.MULTILINE)


def test_no_private_module_of_scikit_learn_is_imported(project_root):
    sources = sorted((project_root / "src").rglob("*.py"))
    assert len(sources) > 50
    found = {str(path): PRIVATE.findall(path.read_text(encoding="utf-8")) for path in sources}
    assert {path: names for path, names in found.items() if names} == {}
    assert PRIVATE.findall("from sklearn.utils._param_validation import x") != []


PRIVATE_NAME = re.compile(r"from\s+sklearn[\w.]*\s+import\s+(?:\([^)]*\b|[^(\n]*\b)(_\w+)")


def test_no_private_name_of_scikit_learn_is_imported(project_root):
    for path in (project_root / "src").rglob("*.py"):
        assert PRIVATE_NAME.findall(path.read_text(encoding="utf-8")) == [], path
    assert PRIVATE_NAME.findall("from sklearn.utils import (\n    Bunch,\n    _safe,\n)") == [
        "_safe"
    ]
