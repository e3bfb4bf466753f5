"""Where rows come from: digits, MNIST, a table; split, and scaled for training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from chainrule.datasets import Dataset, load_digits, load_mnist, read_csv
from chainrule.errors import DataError, OptionError, describe

TEST_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Scaling:
    """X′ = (X − shift) · factor, for each column.

    Attributes
    ----------
    shift, factor : ndarray of shape (columns,)
    """

    shift: np.ndarray
    factor: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        dtype = np.float32 if X.dtype == np.uint8 else np.float64
        scaled = X.astype(dtype)
        if self.shift.any():
            scaled -= self.shift.astype(dtype)
        scaled *= self.factor.astype(dtype)
        return scaled


@dataclass(frozen=True, eq=False)
class Source:
    """Rows to learn from and to test with, and what is known of them.

    Attributes
    ----------
    data : Dataset
        As it came.
    scaling : Scaling
        Puts every column near 0 … 1 or to mean 0 and deviation 1; known from the training rows.
    columns : tuple of str
        Names of the columns of X.
    target : str or None
        The name of the column of labels, where the rows came from a table.
    """

    data: Dataset
    scaling: Scaling
    columns: tuple[str, ...]
    target: str | None = None

    @property
    def is_regression(self) -> bool:
        """Whether the target is a quantity: numbers not all of them whole."""
        return self.data.y_train.dtype.kind == "f"

    @property
    def summary(self) -> str:
        """How many rows of what, in words."""
        data = self.data
        if data.image_shape is None:
            what = f"rows of {data.n_features} columns"
        else:
            what = "images of {} × {}".format(*data.image_shape)
        classes = len(np.unique(data.y_train))
        said = "a quantity" if self.is_regression else f"{classes} classes"
        return f"{len(data.X_train):,} {what} to learn from, {len(data.X_test):,} to test, {said}"


def open_source(name: str, target: str | None, seed: int) -> Source:
    """The rows that ``chainrule train NAME --target TARGET`` speaks of."""
    path = Path(name)
    if name in ("digits", "mnist") or path.is_dir():
        if target is not None:
            came = f"--target {target} for {name}"
            raise OptionError(describe("--target", "it with a FILE.csv only", came))
        if name == "digits":
            return _of_images(load_digits(TEST_SHARE, seed))
        return _of_images(load_mnist() if name == "mnist" else load_mnist(path))
    if not path.exists():
        raise DataError(describe(name, "digits, mnist or a file", "no file of this name"))
    if target is None:
        remedy = "Name the column to predict."
        raise OptionError(describe(name, "--target COLUMN", "none", remedy))
    return _of_table(path, target, seed)


def _of_images(data: Dataset) -> Source:
    columns = data.n_features
    scaling = Scaling(np.zeros(columns), np.full(columns, 1.0 / (data.maximum or 1.0)))
    return Source(data, scaling, tuple(f"pixel{i}" for i in range(columns)))


def _of_table(path: Path, target: str, seed: int) -> Source:
    table = read_csv(path, target)
    X, y = table.X, np.asarray(table.y)
    if len(y) < 2:
        remedy = "Some are held back to test with."
        raise DataError(describe(path, "at least two rows", len(y), remedy))
    if y.dtype.kind != "f":
        classes = np.unique(y)
        if len(classes) < 2:
            came = f"only {classes[0]}"
            raise DataError(describe(f"{path}, column {target!r}", "at least two classes", came))
    train, test = _split(y, seed)
    data = Dataset(path.stem, X[train], y[train], X[test], y[test])
    return Source(data, standardization(X[train]), table.columns, target)


def _split(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and to test with, by class where each class has rows for both."""
    stratify = None
    if y.dtype.kind != "f":
        _, counts = np.unique(y, return_counts=True)
        # scikit-learn refuses to stratify what cannot be shared out
        if counts.min() >= 2 and int(TEST_SHARE * len(y)) >= len(counts):
            stratify = y
    rows = np.arange(len(y))
    train, test = train_test_split(rows, test_size=TEST_SHARE, random_state=seed, stratify=stratify)
    return np.asarray(train), np.asarray(test)


def standardization(X: np.ndarray) -> Scaling:
    """(X − mean) / standard deviation of each column; a constant column becomes 0."""
    largest = np.abs(X).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)  # so that squares of huge numbers stay finite
    ratio = X / unit
    spread = ratio.std(axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    return Scaling(ratio.mean(axis=0) * unit, 1.0 / spread / unit)
