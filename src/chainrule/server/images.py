"""Images of digits to learn from: 8 × 8 as scikit-learn has them, 28 × 28 of MNIST.

The pixels stay bytes; the network scales them. MNIST is read from files that are there, once for
all sessions, and never downloaded here: a page would wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.datasets import find_mnist, load_digits, load_mnist
from chainrule.errors import DataError, describe
from chainrule.server.points import Image, Points, split

CLASSES = tuple(map(str, range(10)))
HOW_TO_GET = "Run 'chainrule train mnist' once, or set CHAINRULE_DATA to a folder of its files."
_LOADING = threading.Lock()


@dataclass(frozen=True)
class ImageSet:
    """A set of images, and the settings with which a page begins to learn from it."""

    image: Image
    start: Mapping[str, Any]


_START = {
    "hidden_layer_sizes": [20],
    "activations": ["tanh"],
    "init": "small_normal",
    "loss": "cross_entropy",
    "solver": "adam",
    "regularization": "l2",
    "strength": 0.001,
}
IMAGE_SETS: Mapping[str, ImageSet] = MappingProxyType(
    {
        "digits": ImageSet(
            Image(8, 8, 16.0),
            {**_START, "learning_rate": 0.005, "batch_size": 20, "train_percent": 80},
        ),
        "mnist": ImageSet(
            Image(28, 28, 255.0),
            {**_START, "learning_rate": 0.001, "batch_size": 100, "train_percent": 50},
        ),
    }
)


def is_available(name: str) -> bool:
    """Whether the files of this set are on this machine."""
    return name != "mnist" or find_mnist() is not None


def points_of_images(
    name: str, *, train_share: float = 0.5, seed: int = 0, most: int | None = None
) -> Points:
    """The images of one set; the first ``train_share`` of those to learn from are learnt from.

    Of the digits, ``train_share`` of all in the order of the seed; the others test. Of MNIST,
    ``train_share`` of its 60 000 images to learn from; its own 10 000 test, whatever the seed.

    Parameters
    ----------
    most : int, optional
        Learn from no more images of MNIST than these.

    Raises
    ------
    DataError
        MNIST's files are not there, or hold something else.
    """
    image = IMAGE_SETS[name].image
    if name == "mnist":
        X, y, n = _mnist()
        first = n - min(split(n, train_share), most or n)
        return _points(X[first:], y[first:], n - first, image)
    X, y = _digits()
    order = np.random.default_rng(seed).permutation(len(X))
    return _points(X[order], y[order], split(len(X), train_share), image)


def _points(X: np.ndarray, y: np.ndarray, n_train: int, image: Image) -> Points:
    return Points(X, y, n_train, CLASSES, axes=(), offset=(), scale=(), image=image)


@lru_cache(1)
def _digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    X = np.concatenate([data.X_train, data.X_test]).astype(np.uint8)
    return X, np.concatenate([data.y_train, data.y_test])


def _mnist() -> tuple[np.ndarray, np.ndarray, int]:
    """All images, those to learn from first; how many those are."""
    with _LOADING:  # by one session; the others wait and share what it has read
        return _read_mnist()


@lru_cache(1)
def _read_mnist() -> tuple[np.ndarray, np.ndarray, int]:
    folder = find_mnist()
    if folder is None:
        raise DataError(describe("MNIST", "its four files", "none", HOW_TO_GET))
    data = load_mnist(folder)
    if data.image_shape != (28, 28) or data.n_classes > 10:
        came = f"{data.image_shape}, {data.n_classes} classes"
        raise DataError(describe(folder, "images of (28, 28), 10 classes", came))
    X = np.concatenate([data.X_train, data.X_test])
    X.flags.writeable = False  # all sessions share it
    return X, np.concatenate([data.y_train, data.y_test]), len(data.X_train)
