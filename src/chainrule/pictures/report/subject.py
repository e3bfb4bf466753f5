"""What a report is about, and the facts that it is made of."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from typing import Any

import numpy as np

import chainrule
from chainrule import engine
from chainrule.check import GradientReport
from chainrule.errors import ShapeError, WrongTypeError, describe

LIBRARIES = ("numpy", "scipy", "scikit-learn", "matplotlib")


@dataclass(frozen=True, eq=False)
class Subject:
    """A fitted estimator, and what is known of how it came about.

    Attributes
    ----------
    model : fitted estimator
        An estimator of chainrule's.
    name : str
        What to call it.
    X, y : array-like, optional
        Rows to judge it by, best those held back from training; as the model reads them.
    raw : array or table, optional
        The same rows as they came, where the model reads them scaled.
    columns : sequence of str, optional
        Names of the columns.
    target : str, optional
        The name of what is predicted.
    image_shape : tuple of int, optional
        (height, width) where a row is an image.
    gradient : GradientReport, optional
        Where it was checked already; else it is checked on some of the rows.
    others : mapping of str to estimator
        Models to compare with, by name, fitted on the same rows.
    data : str
        What the rows are, in words.
    command : str, optional
        The command line that made the report.
    made : mapping of str to str
        What else is known of where the model comes from.
    """

    model: Any
    name: str = "model"
    X: Any = None
    y: Any = None
    raw: Any = None
    columns: Sequence[str] | None = None
    target: str | None = None
    image_shape: tuple[int, int] | None = None
    gradient: GradientReport | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""
    command: str | None = None
    made: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for needed in ("as_objective", "network_", "predict"):
            if not hasattr(type(self.model), needed):
                came = type(self.model).__name__
                raise WrongTypeError(describe("report", "an estimator of chainrule", came))
        if (self.X is None) != (self.y is None):
            came = "X alone" if self.y is None else "y alone"
            raise ShapeError(describe("report", "X and y, or neither", came))
        if self.X is not None and rows_of(self.X) != len(self.y):
            came = f"{rows_of(self.X)} and {len(self.y)}"
            raise ShapeError(describe("report: X and y", "as many rows", came))

    @property
    def has_rows(self) -> bool:
        """Whether there are rows to judge the model by."""
        return self.X is not None and len(self.y) > 0

    @property
    def classifies(self) -> bool:
        """Whether the model predicts one of some classes."""
        return hasattr(self.model, "classes_") and np.ndim(self.truth) == 1

    @property
    def shown(self) -> Any:
        """The rows as people know them."""
        return self.X if self.raw is None else self.raw

    @cached_property
    def truth(self) -> np.ndarray:
        """y as an array."""
        return np.asarray(self.y if self.has_rows else [])

    @cached_property
    def predicted(self) -> np.ndarray:
        """What the model says of every row."""
        return np.asarray(self.model.predict(self.X))

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Of each class for every row."""
        return np.asarray(self.model.predict_proba(self.X), dtype=np.float64)

    @property
    def parameters(self) -> int:
        """How many numbers were learnt."""
        return sum(int(np.size(value)) for value in self.model.parameters_.values())

    def score_of(self, model: Any) -> float:
        """Accuracy, or R²."""
        return float(model.score(self.X, self.y))

    def some(self, most: int) -> tuple[Any, Any]:
        """At most so many of the rows, evenly spread, and what is true of them."""
        picked = np.unique(np.linspace(0, len(self.y) - 1, min(len(self.y), most)).astype(int))
        return take(self.X, picked), take(self.y, picked)


def rows_of(X: Any) -> int:
    """How many rows there are: of arrays, frames, tables and sparse matrices."""
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def take(X: Any, rows: np.ndarray) -> Any:
    """These rows of whatever holds rows."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if not isinstance(X, np.ndarray) and hasattr(X, "take"):
        return X.take(rows)
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]


def versions() -> dict[str, str]:
    """What the result may depend on, by name."""
    about = engine.info()
    found = {
        "chainrule": chainrule.__version__,
        "engine": f"compiled, {about['isa']}" if about["compiled"] else "NumPy",
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
    }
    return found | {name: metadata.version(name) for name in LIBRARIES}
