"""A data set split into rows to learn from and rows to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Rows to learn from and rows to test with.

    Attributes
    ----------
    name : str
    X_train, X_test : ndarray of shape (rows, columns)
    y_train, y_test : ndarray of int of shape (rows,)
        Labels 0 ... number of classes − 1.
    image_shape : tuple of int or None
        (height, width) of a row drawn as an image, where rows are images.
    maximum : float or None
        The largest value that a column can hold, where that is known (255 for bytes): dividing by
        it puts every column in [0, 1].
    """

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    image_shape: tuple[int, int] | None = None
    maximum: float | None = None

    @property
    def n_features(self) -> int:
        """Number of columns of X."""
        return self.X_train.shape[1]

    @property
    def n_classes(self) -> int:
        """Largest label + 1."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    def __repr__(self) -> str:
        image = "" if self.image_shape is None else " ({} × {})".format(*self.image_shape)
        return (
            f"{self.name}: {len(self.X_train)} rows to learn from, {len(self.X_test)} to test "
            f"with, {self.n_features} columns{image} of {self.X_train.dtype}, "
            f"{self.n_classes} classes"
        )
