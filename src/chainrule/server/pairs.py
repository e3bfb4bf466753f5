"""Which two columns of many are drawn first."""

from __future__ import annotations

import numpy as np

from chainrule.server.points import Points

FEW = 2
"""Different values of a flag: drawn over another one, all points fall on four places."""


def telling_columns(points: Points) -> tuple[int, int]:
    """The two columns that say most about the target by themselves, in their order.

    Columns of numbers before flags, and of what was made of one column of a table (a number and
    whether it was missing, one flag a category) only one, as far as there are others.
    """
    if points.is_plane:
        return 0, 1
    told = shares_told(points)
    flags = np.array([len(np.unique(column)) <= FEW for column in points.X.T])
    order = np.lexsort((-told, flags, told <= 0))
    first = order[0]

    def have_one_origin(one: int, other: int) -> bool:
        names = points.axes
        return (flags[one] and _is_flag_of(names[one], names[other])) or (
            flags[other] and _is_flag_of(names[other], names[one])
        )

    others = [one for one in order[1:] if not have_one_origin(first, one)]
    low, high = sorted((int(first), int([*others, order[1]][0])))
    return low, high


def shares_told(points: Points) -> np.ndarray:
    """For classes the share of each column's variance that lies between them; else its r².

    Parameters
    ----------
    points : Points
        Of any columns.

    Returns
    -------
    ndarray of shape (columns,)
    """
    X = points.X - points.X.mean(axis=0)
    groups = np.equal.outer(points.y, np.unique(points.y)) if points.classes else points.y[:, None]
    groups = groups - groups.mean(axis=0)
    between = (X.T @ groups) ** 2 / np.maximum((groups**2).sum(axis=0), 1e-300)
    return between.sum(axis=1) / np.maximum((X**2).sum(axis=0), 1e-300)


def _is_flag_of(flag: str, other: str) -> bool:
    """Whether ``ColumnEncoder`` made both of one column, by their names."""
    stem = flag.rpartition("_")[0]
    return bool(stem) and (other == stem or other.startswith(f"{stem}_"))
