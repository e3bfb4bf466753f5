"""Prediction through the estimator: one row, and ten thousand."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as Peer

import chainrule as cr
from benchmarks.data import mnist_floats
from benchmarks.measure import Bar, Case, Contender, Run


def predict(kind: type, rows: int, repeats: int) -> Run:
    """Seconds a call of ``predict`` on ``rows`` rows of float32."""
    X, y = mnist_floats("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = kind((20,), max_iter=1, random_state=0).fit(X[:5000], y[:5000])
    part = np.ascontiguousarray(X[:rows])

    def run() -> float:
        for _ in range(repeats):
            model.predict(part)
        return repeats

    return run


def _case(name: str, rows: int, repeats: int, ratio: float) -> Case:
    return Case(
        name,
        "s",
        [
            Contender("chainrule", lambda: predict(cr.MLPClassifier, rows, repeats)),
            Contender("scikit-learn", lambda: predict(Peer, rows, repeats)),
        ],
        [Bar(ratio, ["scikit-learn"])],
        rounds=9,
    )


CASES = [
    _case("predict one row of 784-20-10", 1, 200, 8),
    _case("predict 10 000 rows of 784-20-10", 10_000, 5, 3),
]
