"""What adds up over rows, and the one order in which the sums of partitions are added.

Partition i is leaf i of a binary tree; node (level, k) is node (level − 1, 2k) + node
(level − 1, 2k + 1), or the first alone where there is no second. Whoever holds two neighbours may
add them, and the root has the same bits whoever it was: one process, eight workers, a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

Place = tuple[int, int]
"""(level, number) of a node of the tree; partition i is (0, i)."""


class Sums(NamedTuple):
    """What adds up over rows: Σ w·loss, Σ w, Σ w·gradient."""

    loss: float
    weight: float
    gradient: np.ndarray

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        gradient = self.gradient + other.gradient
        return Sums(self.loss + other.loss, self.weight + other.weight, gradient)


def join(nodes: Mapping[Place, Sums], partitions: int) -> dict[Place, Sums]:
    """``nodes`` with all neighbours added that are there; the root alone where all are.

    Parameters
    ----------
    nodes : mapping of (level, number) to Sums
        Sums of partitions, or what ``join`` made of them elsewhere.
    partitions : int
        How many there are in all: so that the last node of a level is known to be the last.
    """
    joined = dict(nodes)
    level, size = 0, partitions
    while size > 1:
        for place in sorted(place for place in joined if place[0] == level):
            _rise(joined, place, size)
        level, size = level + 1, -(-size // 2)
    return joined


def _rise(nodes: dict[Place, Sums], place: Place, size: int) -> None:
    """Put the node at ``place`` and its neighbour to the right one level higher, if both are there.

    ``size`` is how many nodes its level has.
    """
    level, number = place
    if number % 2:
        return
    above = (level + 1, number // 2)
    if number + 1 == size:
        nodes[above] = nodes.pop(place)
    elif (level, number + 1) in nodes:
        nodes[above] = nodes.pop(place).plus(nodes.pop((level, number + 1)))


def total(nodes: Mapping[Place, Sums], partitions: int) -> Sums:
    """The sums over all partitions."""
    (root,) = join(nodes, partitions).values()
    return root
