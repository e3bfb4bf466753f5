"""Shapes with a symbolic first dimension, and the arithmetic that shape rules need.

A shape is a tuple of sizes. The first size of anything that depends on data is the string
``"rows"``: its number is known only when data comes, everything else is known before.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.errors import ShapeError

ROWS = "rows"
Dimension = int | str
Shape = tuple[Dimension, ...]


def format_shape(shape: Shape) -> str:
    """``("rows", 20)`` as people write it: ``(rows, 20)``."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that NumPy's broadcasting gives; sizes meet from the right, 1 stretches."""
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        distinct = {size for size in sizes if size != 1}
        if len(distinct) > 1:
            met = " and ".join(str(size) for size in sizes)
            raise ShapeError(f"sizes {met} do not broadcast: each must be equal or 1")
        result.append(distinct.pop() if distinct else 1)
    return tuple(result)


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum ``gradient`` back to ``shape``: an entry read often gets the sum of its gradients.

    In float64: over many rows, float32 would lose half of its digits.
    """
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    stretched = tuple(
        extra + axis for axis, size in enumerate(shape) if size == 1 != gradient.shape[extra + axis]
    )
    axes = tuple(range(extra)) + stretched
    total = gradient.sum(axis=axes, keepdims=True, dtype=np.float64)
    return total.reshape(shape).astype(gradient.dtype, copy=False)


def normalize_axes(axis: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """``axis`` as sorted non-negative numbers; ``None`` means every axis."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for one in axes:
        if not -ndim <= one < ndim:
            raise ShapeError(f"axis {one} is outside an array of {ndim} dimensions")
    normal = tuple(sorted(one % ndim for one in axes))
    if len(set(normal)) != len(normal):
        raise ShapeError(f"axis {axis} names one dimension twice")
    return normal


def known_size(sizes: Shape, meaning: str) -> int:
    """The product of ``sizes``, all of which must be known before data comes."""
    if any(size == ROWS for size in sizes):
        raise ShapeError(f"{meaning} must not run over rows: no operation couples rows")
    return math.prod(int(size) for size in sizes)
