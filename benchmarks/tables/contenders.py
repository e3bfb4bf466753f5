"""Who predicts: each with the preparation that its users would write, options at their defaults.

A contender takes (classes, seed) and gives an estimator for frames of mixed columns. Its library
is imported when it is asked for, so that a process pays for one alone. As many threads as
OMP_NUM_THREADS says, which all of them read or are told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Contender:
    """A name for the table, what makes the estimator, and what it needs.

    ``pace`` is about how many seconds of one thread a fit takes for a thousand rows of a set;
    ``needs`` a module that may be missing.
    """

    title: str
    make: Callable[[bool, int], Any]
    pace: float
    needs: str | None = None


def _ours(preset: str) -> Callable[[bool, int], Any]:
    def make(classes: bool, seed: int) -> Any:
        from chainrule import RealMLPClassifier, RealMLPRegressor

        kind = RealMLPClassifier if classes else RealMLPRegressor
        return kind(preset, random_state=seed)

    return make


def _prepared(model: Any, classes: bool) -> Any:
    """Medians for missing numbers, standardised; categories one-hot; the target standardised."""
    from sklearn.compose import TransformedTargetRegressor, make_column_selector
    from sklearn.compose import make_column_transformer as columns
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = columns(
        (numbers, make_column_selector(dtype_include=np.number)),
        (words, make_column_selector(dtype_exclude=np.number)),
    )
    if classes:
        return make_pipeline(prepare, model)
    return TransformedTargetRegressor(make_pipeline(prepare, model), transformer=StandardScaler())


def _sklearn_mlp(classes: bool, seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPClassifier if classes else MLPRegressor
    return _prepared(kind(early_stopping=True, random_state=seed), classes)


def _linear(classes: bool, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return _prepared(LogisticRegression(max_iter=1000) if classes else Ridge(), classes)


class _Frames:
    """An estimator behind a preparation of frames that is learnt in fit."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def learn(self, X: pd.DataFrame) -> None:
        self.medians = X.select_dtypes("number").median()
        self.levels = {
            name: pd.CategoricalDtype(sorted(X[name].dropna().astype(str).unique()))
            for name in X.columns.difference(self.medians.index)
        }

    def prepare(self, X: pd.DataFrame) -> pd.DataFrame:
        known = {name: X[name].where(X[name].isna(), X[name].astype(str)) for name in self.levels}
        return X.assign(**known).astype(self.levels)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Any:
        self.learn(X)
        self.model.fit(self.prepare(X), y)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.model.predict(self.prepare(X))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return self.model.predict_proba(self.prepare(X))

    @property
    def classes_(self) -> np.ndarray:
        return self.model.classes_


class _NumbersFilled(_Frames):
    """The same, with medians for missing numbers."""

    def prepare(self, X: pd.DataFrame) -> pd.DataFrame:
        return super().prepare(X).fillna(self.medians)


def _boosting(classes: bool, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return _Frames(kind(categorical_features="from_dtype", random_state=seed))


def _pytabkit(classes: bool, seed: int) -> Any:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if classes else RealMLP_TD_Regressor
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    return _NumbersFilled(kind(device="cpu", random_state=seed, n_threads=threads))


CONTENDERS = {
    "td": Contender("chainrule RealMLP (td)", _ours("td"), 4.0),
    "td-s": Contender("chainrule RealMLP (td-s)", _ours("td-s"), 2.5),
    "pytabkit": Contender("pytabkit RealMLP-TD", _pytabkit, 12.0, needs="pytabkit"),
    "sklearn-mlp": Contender("scikit-learn MLP", _sklearn_mlp, 1.0),
    "boosting": Contender("HistGradientBoosting", _boosting, 0.3),
    "linear": Contender("logistic or ridge regression", _linear, 0.3),
}
"""By the name typed."""
