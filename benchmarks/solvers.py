"""``python -m benchmarks.solvers``: which solver for how many rows? Seconds and test scores.

Every solver of the estimators with its default options on four sets of growing size, median over
seeds: seconds of ``fit``, and the test score (per cent of rows right, or R² · 100). The same
network, split and start for each seed.

Sets with ``*`` come from the folder ``data`` beside a checkout (``--data``) and are left out, with
a word, where it is missing.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import chainrule as cr

FULL_BATCH = ("lbfgs", "cg", "tnc", "bfgs", "newton-cg", "gd")
MINI_BATCH = ("sgd", "nesterov", "rmsprop", "adam", "adamw")
DENSE = ("bfgs", "newton-cg")  # minutes on more than a few hundred parameters: the small set only
Case = tuple[str, np.ndarray, np.ndarray, tuple[int, ...], bool]


def cases(folder: Path) -> Iterator[Case]:
    """Name, X, y, hidden layers, classes?; from small to large."""
    yield "wine", *load_wine(return_X_y=True), (10,), True
    yield "digits", *load_digits(return_X_y=True), (20,), True
    for name, target, classes in (
        ("letter_recognition", "class", True),
        ("california_housing", "median_house_value", False),
    ):
        path = folder / "tabular" / f"{name}.csv"
        if not path.is_file():
            print(f"{name} is left out: no {path}")
            continue
        frame = pd.read_csv(path).dropna()
        y = frame[target].to_numpy()
        X = frame.drop(columns=target).select_dtypes("number").to_numpy(float)
        yield f"{name}*", X, y if classes else (y - y.mean()) / y.std(), (50,), classes


def measure(case: Case, solver: str, seed: int) -> tuple[float, float]:
    """Seconds of fit, and the score on a quarter held back."""
    _, X, y, hidden, classes = case
    X, X_test, y, y_test = train_test_split(
        X, y, random_state=seed, stratify=y if classes else None
    )
    scaler = StandardScaler().fit(X)
    kind = cr.MLPClassifier if classes else cr.MLPRegressor
    model = kind(hidden_layer_sizes=hidden, solver=solver, random_state=seed)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    begin = perf_counter()
    model.fit(X, y)
    return perf_counter() - begin, 100 * model.score(X_test, y_test)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.solvers", description=__doc__)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=beside)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="*", help="those whose name begins so")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for case in cases(arguments.data):
        name, X, _, hidden, _ = case
        if arguments.sets and not name.startswith(tuple(arguments.sets)):
            continue
        print(f"{name}: {len(X)} rows × {X.shape[1]}, hidden {hidden[0]}")
        for solver in (*FULL_BATCH, *MINI_BATCH):
            if solver in DENSE and len(X) > 1000:
                continue
            runs = [measure(case, solver, seed) for seed in range(arguments.seeds)]
            seconds, score = (statistics.median(one) for one in zip(*runs, strict=True))
            print(f"  {solver:10} {seconds:7.2f} s  {score:6.1f}", flush=True)


if __name__ == "__main__":
    main()
