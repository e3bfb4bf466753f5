"""What comes out of the encoder: dense features and codes, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Encoded"]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows of a table as numbers.

    Attributes
    ----------
    dense : ndarray of float32 of shape (rows, features)
        Numbers, indicators of missing values, ±1 of binary columns, one-hot columns; scaled.
    codes : ndarray of int32 of shape (rows, embedded columns)
        Places in embedding tables; 0 is missing or unknown.
    """

    dense: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.dense)

    def __repr__(self) -> str:
        rows, features = self.dense.shape
        return f"<Encoded: {rows} rows, {features} dense features, {self.codes.shape[1]} codes>"

    def take(self, rows: Any) -> Encoded:
        """The encoded rows at these places (indices, booleans or a slice)."""
        return Encoded(self.dense[rows], self.codes[rows])

    def joined(self) -> np.ndarray:
        """One float32 array: the dense features, then the codes as numbers."""
        # whole numbers up to 2²⁴ are exact in float32; codes stay below
        return np.concatenate((self.dense, self.codes.astype(np.float32)), axis=1)
