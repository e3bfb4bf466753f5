"""Where the boxes of a drawing go: columns from left to right, few crossings, short lines.

After Sugiyama, Tagawa, Toda (1981): columns by longest path, a lane through every column that a
line only passes, order by the mean of the neighbours, then places as near to them as fit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

SWEEPS = 6
Key = Hashable


def columns_of(readers: Mapping[Key, Sequence[Key]]) -> dict[Key, int]:
    """A column for each key, left of all that read it; what nothing feeds stands beside its first.

    ``readers`` has the keys in an order in which every key comes before its readers.
    """
    column: dict[Key, int] = dict.fromkeys(readers, 0)
    fed = {reader for many in readers.values() for reader in many}
    for key, many in readers.items():
        for reader in many:
            column[reader] = max(column[reader], column[key] + 1)
    for key, many in readers.items():
        if key not in fed and many:
            column[key] = min(column[reader] for reader in many) - 1
    return column


def ordered(
    columns: Sequence[Sequence[Key]], links: Mapping[Key, Sequence[Key]]
) -> list[list[Key]]:
    """Each column's keys in an order with few crossings; ``links`` go to both sides."""
    order = [list(column) for column in columns]
    at = {key: c for c, column in enumerate(order) for key in column}
    place = {key: i / len(column) for column in order for i, key in enumerate(column)}

    def middle(key: Key, side: int) -> float:
        beside = [place[one] for one in links[key] if at[one] == at[key] + side]
        return float(np.mean(beside)) if beside else place[key]

    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for column in order[1:] if forth else order[-2::-1]:
            column.sort(key=partial(middle, side=-1 if forth else 1))
            place.update({key: i / len(column) for i, key in enumerate(column)})
    return order


def heights(
    order: Sequence[Sequence[Key]],
    links: Mapping[Key, Sequence[Key]],
    size: Mapping[Key, float],
    gap: float,
) -> dict[Key, float]:
    """The middle of each key: near its neighbours', boxes of a column ``gap`` apart, from 0."""
    y: dict[Key, float] = {}
    for column in order:
        tops = np.cumsum([0.0] + [size[key] + gap for key in column])
        for key, top in zip(column, tops, strict=False):
            y[key] = float(top) + size[key] / 2 - float(tops[-1]) / 2
    for _ in range(SWEEPS):
        for column in order:
            wanted = [float(np.mean([y[one] for one in links[k]] or [y[k]])) for k in column]
            steps = [(size[a] + size[b]) / 2 + gap for a, b in pairwise(column)]
            y.update(zip(column, apart(wanted, steps), strict=True))
    top = min(y[key] - size[key] / 2 for key in y)
    return {key: middle - top for key, middle in y.items()}


def apart(wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """The places nearest to ``wanted`` whose i-th and next are at least ``steps[i]`` apart.

    Least squares in a given order: pooling of neighbours that meet.
    """
    offsets = np.concatenate(([0.0], np.cumsum(steps)))[: len(wanted)]
    pools: list[list[float]] = []
    for value in np.asarray(wanted, float) - offsets:
        pools.append([float(value)])
        while len(pools) > 1 and np.mean(pools[-1]) < np.mean(pools[-2]):
            last = pools.pop()
            pools[-1] += last
    level = [float(np.mean(pool)) for pool in pools for _ in pool]
    return [one + float(offset) for one, offset in zip(level, offsets, strict=True)]
