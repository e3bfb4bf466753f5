"""Small data: the 8×8 digits by CG and by scikit-learn's defaults, grids, many small fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import joblib
import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as Peer

import chainrule as cr
from benchmarks import peers
from benchmarks.cases.full_batch import sigmoid_network
from benchmarks.data import blobs, digits
from benchmarks.measure import Bar, Case, Contender, Run


def by_cg(objective: Callable) -> Run:
    """SciPy's CG for 300 iterations; seconds an evaluation."""
    X, y = digits()
    theta0 = sigmoid_network(64, 20, 10).initial(random_state=0)

    def run() -> float:
        options = {"maxiter": 300, "gtol": 0.0}
        result = minimize(objective, theta0, args=(X, y), method="CG", jac=True, options=options)
        return result.nfev

    return run


def default_fit(kind: type, dtype: str) -> Run:
    """scikit-learn's default network, 200 epochs of Adam, never stopping early."""
    X, y = digits(dtype)
    model = kind(random_state=0, tol=0.0, n_iter_no_change=1000)

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)

    return run


ALPHAS = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2]}


def grid(jobs: int) -> Run:
    """GridSearchCV over 8 such fits, one thread each, side by side in one process.

    Without the ninth on all rows, which GridSearchCV makes by itself when those are done.
    """
    X, y = digits("float32")
    model = cr.MLPClassifier(random_state=0, tol=0.0, n_iter_no_change=1000, n_threads=1)
    search = GridSearchCV(model, ALPHAS, cv=2, n_jobs=jobs, refit=False)

    def run() -> None:
        with joblib.parallel_config("threading"), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(X, y)

    return run


def small_fits(kind: type) -> Run:
    """100 rows, 20 columns, 50 hidden, 100 epochs of Adam; seconds a fit over 10 fits."""
    X, y = blobs(100, 20)
    model = kind((50,), max_iter=100, tol=0.0, n_iter_no_change=1000, random_state=0)

    def run() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(10):
                model.fit(X, y)
        return 10

    return run


def _default_case(dtype: str) -> Case:
    return Case(
        f"scikit-learn's default MLP on digits, 200 epochs of Adam, {dtype}",
        "s",
        [
            Contender("chainrule", lambda: default_fit(cr.MLPClassifier, dtype)),
            Contender("scikit-learn", lambda: default_fit(Peer, dtype)),
        ],
        [Bar(6, ["scikit-learn"])],
        rounds=5,
    )


CASES = [
    Case(
        "digits 64-20-10 by SciPy CG, float64, an evaluation",
        "s",
        [
            Contender("chainrule", lambda: by_cg(sigmoid_network(64, 20, 10))),
            Contender(
                "plain NumPy",
                lambda: by_cg(lambda th, X, y: peers.lecture_objective(th, X, y, 64, 20, 10)),
            ),
        ],
        [Bar(5, ["plain NumPy"])],
        rounds=5,
    ),
    *[_default_case(np.dtype(one).name) for one in (np.float32, np.float64)],
    Case(
        "GridSearchCV over 8 fits, n_threads=1, threading",
        "s",
        [Contender("2 jobs", lambda: grid(2)), Contender("1 job", lambda: grid(1))],
        [Bar(1.8, ["1 job"], ours="2 jobs")],
        rounds=5,
    ),
    Case(
        "many small fits: 100×20, 50 hidden, 100 epochs of Adam, a fit",
        "s",
        [
            Contender("chainrule", lambda: small_fits(cr.MLPClassifier)),
            Contender("scikit-learn", lambda: small_fits(Peer)),
        ],
        [Bar(15, ["scikit-learn"])],
        rounds=5,
    ),
]
