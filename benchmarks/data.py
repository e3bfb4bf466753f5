"""The arrays that the benchmarks share: MNIST where it is found, else numbers of its shape."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np

import chainrule as cr


@cache
def mnist() -> tuple[np.ndarray, np.ndarray]:
    """60000×784 grey levels as uint8, and labels; random ones where MNIST is not at hand.

    No download is started for it. Four fifths of MNIST, and of these, are zeros, which the engine
    leaves out.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"
    if not beside.is_dir() and "CHAINRULE_DATA" not in os.environ:
        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (60000, 28, 28), dtype=np.uint8)
        pixels[:, :8] = pixels[:, 20:] = pixels[:, :, :8] = pixels[:, :, 20:] = 0
        return pixels.reshape(60000, 784), rng.integers(0, 10, 60000)
    data = cr.load_mnist(beside if beside.is_dir() else None)
    return np.ascontiguousarray(data.X_train), data.y_train.astype(np.int64)


@cache
def mnist_floats(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """The same, scaled to [0, 1]."""
    X, y = mnist()
    return (X / 255).astype(dtype), y


@cache
def dense_rows() -> tuple[np.ndarray, np.ndarray]:
    """Rows of MNIST's shape in float32 in which nothing is zero."""
    X = np.random.default_rng(0).standard_normal((60000, 784), dtype=np.float32)
    return X, mnist()[1]


@cache
def digits(dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """The first 1400 of the 8×8 digits, scaled to [0, 1]."""
    data = cr.load_digits()
    X = np.concatenate([data.X_train, data.X_test])[:1400]
    y = np.concatenate([data.y_train, data.y_test])[:1400]
    return (X / 16).astype(dtype), y


def blobs(rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping classes: random rows, labelled by a random direction with noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, columns))
    y = (X @ rng.standard_normal(columns) + rng.standard_normal(rows) > 0).astype(np.int64)
    return X, y
