"""Robust scaling with a smooth clip: outliers keep their order but lose their force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import repr as short
from typing import Any

import numpy as np

from chainrule.errors import FileFormatError, describe
from chainrule.tables.quantiles import Quantiles, weighted_quantiles

__all__ = ["CLIP", "Scaling", "scaling_of", "scaling_of_counts"]

CLIP = 3.0
"""What no scaled value exceeds."""

LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Scaling:
    """z = (x − center) / scale; y = z / √(1 + (z/3)²).

    The RealMLP recipe (Holzmüller, Grinsztajn, Steinwart 2024, section 3): center is the median,
    scale the distance of the quartiles or, where that is 0, half the range.

    Attributes
    ----------
    center, scale : float
        Finite; scale > 0.
    """

    center: float
    scale: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """y in float64; NaN (missing) becomes 0, the median's place."""
        with np.errstate(over="ignore", under="ignore"):
            z = (x - self.center) / self.scale
        # beyond 1e18 the result is ±3 to the last digit, and squares stay finite
        z = np.clip(z, -1e18, 1e18)
        y = z / np.sqrt(1 + np.square(z / CLIP))
        return np.where(np.isnan(y), 0.0, y)

    def to_dict(self) -> list[float]:
        """Plain data."""
        return [self.center, self.scale]

    @classmethod
    def from_dict(cls, data: Any, where: str) -> Scaling:
        """From plain data; anything else is a ``FileFormatError``."""
        if (
            isinstance(data, list)
            and len(data) == 2
            and all(type(number) in (int, float) for number in data)
            and all(abs(number) <= LARGEST for number in data)
            and data[1] > 0
        ):
            return cls(float(data[0]), float(data[1]))
        expected = "[center, scale], finite, scale > 0"
        raise FileFormatError(describe(f"{where}: scaling", expected, short(data)))


def scaling_of(quantiles: Quantiles) -> Scaling | None:
    """The scaling of a column, or None if it has no two different values."""
    if not quantiles.count:
        return None
    q25, median, q75 = quantiles((0.25, 0.5, 0.75))
    return _scaling(q25, median, q75, quantiles.low, quantiles.high)


def scaling_of_counts(values: Sequence[float], counts: Sequence[int]) -> Scaling | None:
    """The scaling of a column in which each of ``values`` comes ``counts`` times."""
    numbers, weights = np.asarray(values, dtype=np.float64), np.asarray(counts)
    present = numbers[weights > 0]
    if not len(present):
        return None
    q25, median, q75 = weighted_quantiles(numbers, weights, (0.25, 0.5, 0.75))
    return _scaling(q25, median, q75, float(present.min()), float(present.max()))


def _scaling(q25: float, median: float, q75: float, low: float, high: float) -> Scaling | None:
    if low == high:
        return None
    scale = _distance(q25, q75) or _distance(low, high) / 2 or _distance(low, high)
    return Scaling(median, scale)


def _distance(a: float, b: float) -> float:
    # halves, because the distance of the two largest numbers is beyond them
    return min(b - a, LARGEST) if b / 2 - a / 2 <= LARGEST / 2 else LARGEST
