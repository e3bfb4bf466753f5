"""Any combination of options, data and calls: scikit-learn's perceptrons and ours side by side.

Drawn: options, kinds of targets, forms of rows, weights, and a short script of ``fit`` and
``partial_fit``. Compared after every call: weights, losses, counters, every public attribute,
predictions, warnings, what ``verbose`` prints, and the kind of error where one is raised.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import sklearn.neural_network as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.estimators import MLPClassifier, MLPRegressor

PAIRS = {
    "classes": (MLPClassifier, theirs.MLPClassifier),
    "values": (MLPRegressor, theirs.MLPRegressor),
}
MOST_OF_A_ROW = {one: -np.log(np.finfo(kind).eps) for one, kind in ((False, float), (True, "f4"))}
"""What scikit-learn says of a row's loss at most, by whether it computes in float32."""
BEYOND = {"history_", "training_status_", "network_", "parameters_"}
"""Public attributes that are ours alone."""

FORMS = {
    "array": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "fortran": np.asfortranarray,
    "every other": lambda X: np.repeat(X, 2, axis=0)[::2],
    "integers": lambda X: (2 * X).astype(int),
    "bytes": lambda X: (2 * np.abs(X)).astype(np.uint8),
    "half": lambda X: X.astype(np.float16),
    "list": lambda X: X.tolist(),
    **{
        name: lambda X, name=name: scipy.sparse.coo_array(X * (np.abs(X) > 0.7)).asformat(name)
        for name in ("csr", "csc", "coo", "bsr", "dok", "lil", "dia")
    },
    "csr float32": lambda X: scipy.sparse.csr_matrix(X.astype(np.float32)),
}


@dataclass
class Case:
    """One problem: what to make, what to call."""

    kind: str
    options: dict[str, Any]
    X: Any
    y: Any
    weight: Any
    calls: list[str]

    def __repr__(self) -> str:
        rows = type(self.X).__name__
        return f"{self.kind} {self.options} {rows} y={np.asarray(self.y)[:4]!r} {self.calls}"


def targets(kind: str, form: str, X: np.ndarray, rng: np.random.Generator) -> Any:
    """Targets of one form that depend on X a little."""
    score = X[:, 0] + 0.3 * rng.normal(size=len(X))
    if kind == "values":
        values = np.exp(score)
        several = np.stack([values, np.abs(score), 0 * score], axis=1)
        return {
            "numbers": values,
            "float32": values.astype(np.float32),
            "integers": (4 * values).astype(int),
            "list": values.tolist(),
            "column": values[:, None],
            "several": several,
        }[form]
    numbers = np.digitize(score, [-0.5, 0.5])
    numbers[:3] = [0, 1, 2]  # every class is there
    return {
        "two": (numbers > 1).astype(int),
        "bools": numbers > 1,
        "minus one": np.where(numbers > 1, 1, -1),
        "three": numbers,
        "floats": numbers.astype(float),
        "text": np.array(["no", "maybe", "yes"])[numbers],
        "objects": np.array(["no", "maybe", "yes"], dtype=object)[numbers],
        "list": numbers.tolist(),
        "column": numbers[:, None],
        "one class": np.zeros(len(X), int),
        "table": np.stack([numbers == 1, score > 0, score < 1], axis=1).astype(int),
        "two columns": np.stack([numbers == 1, score > 0], axis=1).astype(int),
        "sparse table": scipy.sparse.csr_matrix(np.eye(3, dtype=int)[numbers]),
    }[form]


VALUES = ("numbers", "float32", "integers", "list", "column", "several")
CLASSES = (
    *("two", "bools", "minus one", "three", "floats", "text", "objects", "list", "column"),
    *("one class", "table", "two columns", "sparse table"),
)
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "hidden_layer_sizes": st.sampled_from([(), 3, (4,), [4, 3], np.array([3, 2]), (2, 2, 2)]),
    "activation": st.sampled_from(["identity", "logistic", "tanh", "relu"]),
    "solver": st.sampled_from(["sgd", "adam", "lbfgs"]),
    "alpha": st.sampled_from([0, 0.0, 1e-4, 0.1, 3.0]),
    "batch_size": st.sampled_from(["auto", 1, 4, 7, 500]),
    "learning_rate": st.sampled_from(["constant", "invscaling", "adaptive"]),
    "learning_rate_init": st.sampled_from([1e-3, 0.01, 0.03]),
    "power_t": st.sampled_from([0.0, 0.5, 1.0]),
    "max_iter": st.integers(1, 6),
    "shuffle": st.booleans(),
    "tol": st.sampled_from([0.0, 1e-4, 0.05, 10.0]),
    "warm_start": st.booleans(),
    "momentum": st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    "nesterovs_momentum": st.booleans(),
    "early_stopping": st.booleans(),
    "validation_fraction": st.sampled_from([0.1, 0.3, 0.05]),
    "beta_1": st.sampled_from([0.0, 0.5, 0.9]),
    "beta_2": st.sampled_from([0.5, 0.9, 0.999]),
    "epsilon": st.sampled_from([1e-8, 1e-3]),
    "n_iter_no_change": st.sampled_from([1, 2, 10, np.inf]),
    "max_fun": st.sampled_from([1, 5, 15000]),
    "verbose": st.booleans(),
}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(sorted(PAIRS)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    # some options away from their defaults, so that failures stay small
    names = draw(st.lists(st.sampled_from(sorted(OPTIONS)), unique=True, max_size=8))
    options = {name: draw(OPTIONS[name]) for name in names}
    options["max_iter"] = options.get("max_iter", 4)
    options["random_state"] = draw(st.integers(0, 9))
    X = rng.normal(size=(draw(st.integers(8, 40)), draw(st.integers(1, 4))))
    form = draw(st.sampled_from(CLASSES if kind == "classes" else VALUES))
    y = targets(kind, form, X, rng)
    if kind == "values" and draw(st.booleans()):
        options["loss"] = "poisson"
    weight = draw(st.sampled_from([None, None, "numbers", "scalar"]))
    if weight is not None:
        weight = 2.0 if weight == "scalar" else rng.uniform(0.2, 3, len(X))
    calls = draw(
        st.sampled_from(
            [["fit"], ["fit", "fit"], ["partial_fit"] * 3, ["fit", "partial_fit", "partial_fit"]]
        )
    )
    return Case(kind, options, FORMS[draw(st.sampled_from(sorted(FORMS)))](X), y, weight, calls)


@dataclass
class Outcome:
    """What a call came to: what it raised, warned of and printed."""

    error: Exception | None
    warned: list[type[Warning]]
    printed: list[str]


def call(model: Any, method: str, case: Case) -> Outcome:
    """One call of the script."""
    extra = {}
    if method == "partial_fit" and case.kind == "classes":
        table = np.ndim(case.y) == 2 and np.shape(case.y)[1] > 1
        extra["classes"] = np.arange(np.shape(case.y)[1]) if table else np.unique(case.y)
    printed, error = io.StringIO(), None
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            getattr(model, method)(case.X, case.y, sample_weight=case.weight, **extra)
        except Exception as raised:
            error = raised
    kinds = sorted(
        (one.category for one in caught if one.category is not RuntimeWarning),  # NumPy's own
        key=lambda kind: kind.__name__,
    )
    return Outcome(error, kinds, printed.getvalue().splitlines())


def public(model: Any) -> set[str]:
    return {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}


def assert_same_state(ours: Any, other: Any, rtol: float) -> None:
    """Every public attribute that scikit-learn leaves is there and equal."""
    extra = BEYOND | ({"loss_curve_"} if other.solver == "lbfgs" else set())
    assert public(ours) - extra == public(other) - extra
    for name in sorted(public(other)):
        mine, one = getattr(ours, name), getattr(other, name)
        if name == "loss_curve_" and other.solver == "lbfgs":
            continue  # ours goes on, scikit-learn's is of an earlier solver
        if one is None or isinstance(one, str):
            assert mine == one, name
        elif isinstance(one, list):
            assert len(mine) == len(one), name
            for a, b in zip(mine, one, strict=True):
                np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol, err_msg=name)
                assert np.ndim(a) == 0 or a.dtype == b.dtype, name  # ours sums losses in float64
        elif np.asarray(one).dtype.kind == "f":
            np.testing.assert_allclose(mine, one, rtol=rtol, atol=rtol, err_msg=name)
        else:
            np.testing.assert_array_equal(mine, one, err_msg=name)
            assert np.asarray(mine).dtype == np.asarray(one).dtype, name


def assert_same_parameters(ours: Any, other: Any, rtol: float) -> None:
    pairs = zip(ours.coefs_ + ours.intercepts_, other.coefs_ + other.intercepts_, strict=True)
    for mine, one in pairs:
        np.testing.assert_allclose(mine, one, rtol=rtol, atol=rtol)


def assert_same_predictions(ours: Any, other: Any, X: Any, rtol: float) -> None:
    with np.errstate(all="ignore"):
        mine, one = ours.predict(X), other.predict(X)
    assert mine.dtype == one.dtype
    assert mine.shape == one.shape
    assert scipy.sparse.issparse(mine) == scipy.sparse.issparse(one)
    if hasattr(one, "toarray"):
        mine, one = mine.toarray(), one.toarray()
    if not hasattr(other, "predict_proba"):
        np.testing.assert_allclose(mine, one, rtol=rtol, atol=rtol)
        return
    p, q = ours.predict_proba(X), other.predict_proba(X)
    assert p.dtype == q.dtype
    np.testing.assert_allclose(p, q, rtol=rtol, atol=rtol)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(
            ours.predict_log_proba(X), other.predict_log_proba(X), rtol=10 * rtol, atol=10 * rtol
        )
    clear = np.abs(q - 0.5).min(axis=1) > rtol if q.shape[1] <= 2 or mine.ndim == 2 else _clear(q)
    np.testing.assert_array_equal(mine[clear], one[clear])


def _clear(q: np.ndarray) -> np.ndarray:
    """Rows whose best class is ahead by more than rounding."""
    two = np.sort(q, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0] > 1e-4


def assert_same_lines(ours: list[str], other: list[str], rtol: float) -> None:
    """The lines of epochs are the same, their numbers up to rounding."""
    number = re.compile(r"-?\d+\.\d+|nan|inf")
    mine, one = ("\n".join(line for line in lines if "tol=" not in line) for lines in (ours, other))
    assert number.sub("", mine) == number.sub("", one)
    numbers = [[float(x) for x in number.findall(text)] for text in (mine, one)]
    np.testing.assert_allclose(*numbers, rtol=rtol, atol=max(rtol, 1e-6))


def clips(ours: Any, case: Case, most: float) -> bool:
    """Whether scikit-learn may have clipped a row's loss; ours are exact: docs/estimators.md."""
    if case.kind == "values" or max(ours.loss_curve_) * np.shape(case.y)[0] <= most:
        return False
    with np.errstate(divide="ignore"):
        return bool(np.min(ours.predict_log_proba(case.X)) < -most)


def compare(case: Case) -> None:
    """The script on both; the same state after every call."""
    single = np.asarray(case.X).dtype == np.float32 or getattr(case.X, "dtype", None) == np.float32
    several = case.kind == "values" and np.ndim(case.y) == 2 and np.shape(case.y)[1] > 1
    lbfgs = case.options.get("solver") == "lbfgs"
    rtol = 5e-3 if single else 1e-4 if lbfgs else 1e-6
    ours, other = (make(**case.options) for make in PAIRS[case.kind])
    for method in case.calls:
        if method == "partial_fit":
            assert hasattr(ours, method) == hasattr(other, method)
        one, two = (call(model, method, case) for model in (ours, other))
        assert (one.error is None) == (two.error is None), (one.error, two.error)
        if two.error is not None:
            kinds = [kind for kind in type(two.error).__mro__ if kind.__module__ == "builtins"]
            assert isinstance(one.error, kinds[0]), (one.error, two.error)
            return
        assert one.warned == two.warned
        if lbfgs and (several or single):
            return  # scikit-learn's search is misled: docs/estimators.md; rounding leads astray
        if not np.all(np.isfinite(other.loss_)) or other.loss_ > 100:
            return  # diverging: the last bits decide
        try:
            assert_same_state(ours, other, rtol)
        except AssertionError:
            if not clips(ours, case, MOST_OF_A_ROW[single]):
                raise
            assert_same_parameters(ours, other, rtol)
            return
        assert_same_predictions(ours, other, case.X, rtol)
        if not lbfgs:
            assert_same_lines(one.printed, two.printed, rtol)


@settings(max_examples=250)
@given(cases())
def test_the_same_calls_do_the_same(case):
    compare(case)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_where_scikit_learn_clips_a_loss_the_loss_alone_differs():
    X = np.random.default_rng(0).standard_normal((16, 1))
    y = np.array([0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    options = {"alpha": 0, "batch_size": 1, "beta_2": 0.5, "max_iter": 4, "random_state": 0}
    ours, other = (kind(**options).fit(X, y) for kind in PAIRS["classes"])
    assert ours.loss_ > 10 * other.loss_  # Adam that forgets squares first: small gradients grow
    assert_same_parameters(ours, other, 1e-6)
    compare(Case("classes", options, X, y, None, ["fit"]))


@pytest.mark.slow
@settings(max_examples=3000, derandomize=False)
@given(cases())
def test_the_same_calls_do_the_same_for_long(case):
    compare(case)
