"""Orders of the rows that the caller gives, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import DataError

MOST_ORDERED = 1 << 20
"""Row numbers that are kept at a time."""


class OwnOrders:
    """``order(epoch)`` as arrays of row numbers; the caller is asked for each epoch once.

    What he gave for an epoch is kept until a later one is asked for: it may be run again.
    """

    def __init__(self, order: Callable[[int], Any], rows: int) -> None:
        self.order = order
        self.rows = rows
        self.begin, self.kept = 0, np.empty((0, rows), np.int64)

    def at_most(self, count: int) -> int:
        """How many of ``count`` epochs to ask for at a time; at least one."""
        return min(count, max(1, MOST_ORDERED // self.rows))

    def of(self, first: int, count: int) -> np.ndarray:
        """The orders of epochs ``first`` to ``first + count``, a row each."""
        kept = self.kept[first - self.begin :] if self.begin <= first else self.kept[:0]
        orders = kept
        if count > len(kept):
            orders = np.empty((count, self.rows), np.int64)
            orders[: len(kept)] = kept
            for i in range(len(kept), count):
                orders[i] = self._checked(self.order(first + i))
        self.begin, self.kept = first, orders
        return orders[:count]

    def _checked(self, order: Any) -> np.ndarray:
        order = np.asarray(order)
        if order.shape != (self.rows,) or order.dtype.kind not in "iu":
            raise DataError(
                f"order must give {self.rows} row numbers, got {order.dtype} of shape {order.shape}"
            )
        return order
