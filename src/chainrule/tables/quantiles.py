"""Quantiles of a column: exact where it fits into memory, a sketch with a bound where not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["EXACT_ROWS", "Quantiles", "weighted_quantiles"]

EXACT_ROWS = 2**18
"""Up to this many values of a streamed column, its quantiles are exact."""


class Quantiles:
    """q ↦ the value below which a share q of all values lies, interpolated as np.quantile does.

    Without ``limit`` all values are kept. With it, every ``limit`` values are sorted into a block;
    two blocks of one weight are merged, every second value of them is kept with twice the weight
    (Munro, Paterson 1980). After n values the rank is wrong by at most
    n · log2(n / limit) / (2 limit): a share of 3 · 10⁻⁵ for a thousand million rows. Kept are at
    most log2(n / limit) + 2 blocks.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.count = 0
        self.low = np.inf
        self.high = -np.inf
        self._fresh: list[np.ndarray] = []
        self._waiting = 0
        self._blocks: list[np.ndarray | None] = []
        self._odd = False

    def add(self, values: np.ndarray) -> None:
        """Take in finite values."""
        if not len(values):
            return
        self.count += len(values)
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        self._fresh.append(values)
        self._waiting += len(values)
        if self.limit is not None and self._waiting > self.limit:
            self._make_blocks(self.limit)

    def join(self, other: Quantiles) -> None:
        """Take in the values of another one with the same limit."""
        self.count += other.count
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        for level, block in enumerate(other._blocks):
            if block is not None:
                self._carry(block, level)
        self._fresh += other._fresh
        self._waiting += other._waiting
        if self.limit is not None and self._waiting > self.limit:
            self._make_blocks(self.limit)

    def __call__(self, shares: Sequence[float]) -> list[float]:
        """The quantiles of these shares; at least one value must have been added."""
        kept = [(block, 2**level) for level, block in enumerate(self._blocks) if block is not None]
        parts = [*((fresh, 1) for fresh in self._fresh), *kept]
        values = np.concatenate([part for part, _ in parts])
        weights = np.concatenate([np.full(len(part), weight) for part, weight in parts])
        return weighted_quantiles(values, weights, shares)

    def _make_blocks(self, limit: int) -> None:
        waiting = np.concatenate(self._fresh)
        full = len(waiting) // limit * limit
        for start in range(0, full, limit):
            self._carry(np.sort(waiting[start : start + limit]))
        self._fresh = [waiting[full:].copy()]
        self._waiting = len(waiting) - full

    def _carry(self, block: np.ndarray, level: int = 0) -> None:
        self._blocks.extend([None] * (level - len(self._blocks)))
        while level < len(self._blocks):
            other = self._blocks[level]
            if other is None:
                break
            # odd and even places in turn, so that the errors do not all point the same way
            block = np.sort(np.concatenate((other, block)))[int(self._odd) :: 2].copy()
            self._odd = not self._odd
            self._blocks[level] = None
            level += 1
        self._blocks.extend([None] * (level + 1 - len(self._blocks)))
        self._blocks[level] = block


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, shares: Sequence[float]
) -> list[float]:
    """np.quantile(np.repeat(values, weights), shares), without repeating.

    Parameters
    ----------
    values : ndarray of float, of shape (n,)
    weights : ndarray of int, of shape (n,)
        At least 1 in total.
    shares : sequence of float in [0, 1]
    """
    order = np.argsort(values, kind="stable")
    values, ends = values[order], np.cumsum(weights[order])
    last = int(ends[-1]) - 1

    def quantile(share: float) -> float:
        below = int(share * last)
        rest = share * last - below
        a = float(values[np.searchsorted(ends, below, side="right")])
        b = float(values[np.searchsorted(ends, min(below + 1, last), side="right")])
        # halves, because b − a of the largest numbers is not a number
        return a if rest == 0 or a == b else a * (1 - rest) + b * rest

    return [quantile(share) for share in shares]
