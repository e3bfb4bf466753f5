"""``python -m benchmarks.scores``: does the same call learn as well as scikit-learn's?

Default parameters, same seed, same split; the difference of test scores (ours − scikit-learn's, in
points: per cent of rows right, or R² · 100), paired over sets and seeds. The lower 95 % bound of
the mean difference must be at least −0.3 points; exit status 1 where it is not.

Sets come from the folder ``data`` beside a checkout (``--data``), in the pipeline that people use:
medians for missing numbers, one-hot categories, standardised columns. Large sets are cut to
``--rows`` rows, because scikit-learn takes minutes for more.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as PeerClassifier
from sklearn.neural_network import MLPRegressor as PeerRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import chainrule as cr

BAR = -0.3
TABLES = {  # file: (target, columns that say nothing of other rows, classes?)
    "adult_train.csv": ("income", [], True),
    "california_housing.csv": ("median_house_value", [], False),
    "titanic.csv": ("Survived", ["PassengerId", "Name", "Ticket", "Cabin"], True),
    "penguins.csv": ("species", [], True),
    "mpg.csv": ("mpg", ["name"], False),
    "wine_quality.csv": ("quality", [], False),
    "letter_recognition.csv": ("class", [], True),
}
Prepared = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sets(folder: Path, rows: int) -> Iterator[tuple[str, pd.DataFrame, pd.Series, bool]]:
    """Name, columns, target, and whether the target is a class."""
    X, y = load_digits(return_X_y=True, as_frame=True)
    yield "digits", X, y, True
    for file, (target, without, classes) in TABLES.items():
        frame = pd.read_csv(folder / "tabular" / file, na_values=["?"])
        frame = frame.sample(min(rows, len(frame)), random_state=0).reset_index(drop=True)
        yield Path(file).stem, frame.drop(columns=[target, *without]), frame[target], classes


def prepared(X: pd.DataFrame, y: pd.Series, classes: bool, seed: int) -> Prepared:
    """A split, its columns turned to numbers by statistics of the training part."""
    parts = train_test_split(X, y, random_state=seed, stratify=y if classes else None)
    X_train, X_test, y_train, y_test = parts
    numbers = X.select_dtypes("number").columns
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), X.columns.difference(numbers)),
        sparse_threshold=0,
    )
    X_train, X_test = encode.fit_transform(X_train), encode.transform(X_test)
    y_train, y_test = y_train.to_numpy(), y_test.to_numpy()
    if not classes:
        mean, std = y_train.mean(), y_train.std()
        y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
    return X_train, X_test, y_train, y_test


def differences(folder: Path, rows: int, seeds: int) -> Iterator[tuple[str, np.ndarray]]:
    """For each set our score minus scikit-learn's, in points, a number a seed."""
    for name, X, y, classes in sets(folder, rows):
        kinds = (cr.MLPClassifier, PeerClassifier) if classes else (cr.MLPRegressor, PeerRegressor)
        points = []
        for seed in range(seeds):
            X_train, X_test, y_train, y_test = prepared(X, y, classes, seed)
            ours, theirs = (
                100 * kind(random_state=seed).fit(X_train, y_train).score(X_test, y_test)
                for kind in kinds
            )
            points.append(ours - theirs)
        yield name, np.array(points)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scores", description=__doc__)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=beside)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    everything = []
    for name, points in differences(arguments.data, arguments.rows, arguments.seeds):
        everything.append(points)
        print(
            f"{name:20s} mean {points.mean():+.3f}  from {points.min():+.3f} to {points.max():+.3f}"
        )
    points = np.concatenate(everything)
    spread = stats.sem(points)
    bound = (
        points.mean() + stats.t.ppf(0.025, len(points) - 1) * spread if spread else points.mean()
    )
    print(
        f"all {len(points)} pairs: mean {points.mean():+.3f} points, "
        f"lower 95 % bound {bound:+.3f} (bar {BAR:+g})"
    )
    return 0 if bound >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
