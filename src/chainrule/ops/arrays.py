"""Operations that move, join and sum elements: products, reshapes, reductions, look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import LabelError, OptionError, ShapeError
from chainrule.ops import options
from chainrule.ops.base import Operation, require_ndim
from chainrule.ops.shapes import (
    ROWS,
    Dimension,
    Shape,
    format_shape,
    known_size,
    normalize_axes,
)


class Matmul(Operation):
    """y = a @ b: rows of a (n, k) times the matrix b (k, m)."""

    name = "matmul"
    reads = frozenset({"a", "b"})

    def shape(self, a: Shape, b: Shape) -> Shape:
        if len(a) != 2 or len(b) != 2:
            raise ShapeError("both operands must be matrices (2 dimensions)")
        if a[1] != b[0]:
            hint = "; did you mean the transpose, .T?" if a[1] == b[1] and a[1] != ROWS else ""
            raise ShapeError(f"the inner sizes {a[1]} and {b[0]} must be equal{hint}")
        return (a[0], b[1])

    def forward(self, a, b):
        return a @ b

    def backward(self, dy, a, b, y):
        return dy @ b.T, a.T @ dy

    def backward_some(self, wanted, dy, a, b, y):
        # rows of data are the largest operand, and nobody asks for their gradient: an operand
        # without entries makes the other's product free
        return self.backward(dy, a if wanted[1] else a[:, :0], b if wanted[0] else b[:0], y)

    @classmethod
    def sample(cls, rng, rows, columns):
        inner = int(rng.integers(1, 5))
        return cls(), (rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns)))


class Transpose(Operation):
    """y = xᵀ: the dimensions in reverse order."""

    name = "transpose"
    reads = frozenset()

    def shape(self, x: Shape) -> Shape:
        return tuple(reversed(x))

    def forward(self, x):
        return x.T

    def backward(self, dy, x, y):
        return (dy.T,)

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(), (rng.normal(size=(rows, columns)),)


def _sizes(where: str, value: Any) -> Shape:
    """Sizes ≥ 0, one −1 for what is left, "rows" first."""
    if not isinstance(value, (tuple, list)):
        raise OptionError(f"{where} must be a tuple of sizes, got {value!r}")
    start = 1 if tuple(value[:1]) == (ROWS,) else 0
    sizes = tuple(options.integer(where, size) for size in value[start:])
    if any(size < -1 for size in sizes) or sizes.count(-1) > 1:
        raise OptionError(f"{where} must be sizes ≥ 0 and at most one −1, got {value!r}")
    return (ROWS,) * start + sizes


@dataclass(frozen=True, eq=False, repr=False)
class Reshape(Operation):
    """y = x with the same elements in ``target`` shape; "rows" and one −1 allowed."""

    name = "reshape"
    reads = frozenset()
    allowed: ClassVar[dict[str, options.Check]] = {"target": _sizes}
    target: tuple[Dimension, ...] = ()

    def shape(self, x: Shape) -> Shape:
        asked = tuple(self.target)
        if x[:1] == (ROWS,) and asked[:1] != (ROWS,):
            raise ShapeError(f"rows must stay the first dimension, asked for {format_shape(asked)}")
        if x[:1] != (ROWS,) and ROWS in asked:
            raise ShapeError(f"{format_shape(x)} has no rows to keep")
        start = 1 if x[:1] == (ROWS,) else 0
        total = known_size(x[start:], "a reshape")
        return asked[:start] + self._fill(asked[start:], total)

    @staticmethod
    def _fill(sizes: tuple[Dimension, ...], total: int) -> Shape:
        known = known_size(tuple(size for size in sizes if size != -1), "a reshape")
        if sizes.count(-1) == 1 and known and total % known == 0:
            return tuple(total // known if size == -1 else size for size in sizes)
        if -1 in sizes or known != total:
            raise ShapeError(f"{total} elements do not fit into {format_shape(sizes)}")
        return sizes

    def forward(self, x):
        shape = tuple(len(x) if size == ROWS else int(size) for size in self.target)
        return x.reshape(shape)

    def backward(self, dy, x, y):
        return (dy.reshape(x.shape),)

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls((columns, rows)), (rng.normal(size=(rows, columns)),)


@dataclass(frozen=True, eq=False, repr=False)
class Concatenate(Operation):
    """y = the operands one after another along ``axis``."""

    name = "concatenate"
    reads = frozenset()
    allowed: ClassVar[dict[str, options.Check]] = {"axis": options.integer}
    axis: int = -1

    def shape(self, *shapes: Shape) -> Shape:
        if not shapes:
            raise ShapeError("at least one operand is needed")
        first = shapes[0]
        (axis,) = normalize_axes(self.axis, len(first))
        rest = [shape[:axis] + shape[axis + 1 :] for shape in shapes]
        if any(len(shape) != len(first) for shape in shapes) or any(r != rest[0] for r in rest):
            met = ", ".join(format_shape(shape) for shape in shapes)
            raise ShapeError(f"all sizes but that of axis {self.axis} must be equal, got {met}")
        if any(shape[axis] == ROWS for shape in shapes):
            raise ShapeError("rows cannot be joined to rows: choose another axis")
        total = sum(int(shape[axis]) for shape in shapes)
        return (*first[:axis], total, *first[axis + 1 :])

    def forward(self, *xs):
        return np.concatenate(xs, axis=self.axis)

    def backward(self, dy, *xs_and_y):
        xs = xs_and_y[:-1]
        ends = np.cumsum([x.shape[self.axis] for x in xs])[:-1]
        return tuple(np.split(dy, ends, axis=self.axis))

    @classmethod
    def sample(cls, rng, rows, columns):
        axis = int(rng.integers(-2, 2))
        vary = axis % 2
        shapes = [[rows, columns] for _ in range(rng.integers(1, 4))]
        for shape in shapes:
            shape[vary] = int(rng.integers(1, 5))
        return cls(axis), tuple(rng.normal(size=shape) for shape in shapes)


class Take(Operation):
    """y = table[indices], indices in [0, n): an embedding; one row of table (n, d) an index."""

    name = "take"
    reads = frozenset({"indices"})
    integers = frozenset({"indices"})

    def shape(self, table: Shape, indices: Shape) -> Shape:
        if not table or table[0] == ROWS:
            raise ShapeError("the table's first size must be known, it may not be rows")
        return (*indices, *table[1:])

    def forward(self, table, indices):
        if not np.issubdtype(np.asarray(indices).dtype, np.integer):
            raise LabelError(f"take needs integer indices, got {np.asarray(indices).dtype}")
        wrong = (indices < 0) | (indices >= len(table))
        if np.any(wrong):
            raise LabelError(
                f"take needs indices in [0, {len(table)}), got {np.asarray(indices)[wrong].flat[0]}"
            )
        return table[indices]

    def backward(self, dy, table, indices, y):
        gradient = np.zeros(table.shape, dy.dtype)
        np.add.at(gradient, indices, dy)  # an index that comes twice adds twice
        return gradient, None

    @classmethod
    def sample(cls, rng, rows, columns):
        table = rng.normal(size=(int(rng.integers(1, 6)), columns))
        return cls(), (table, rng.integers(len(table), size=rows))


@dataclass(frozen=True, eq=False, repr=False)
class Sum(Operation):
    """y = Σ x over ``axis`` (all of them when ``None``)."""

    name = "sum"
    reads = frozenset()
    allowed: ClassVar[dict[str, options.Check]] = {"axis": options.axes}
    axis: int | tuple[int, ...] | None = None
    keepdims: bool = False

    def shape(self, x: Shape) -> Shape:
        axes = normalize_axes(self.axis, len(x))
        if self.keepdims:
            return tuple(1 if i in axes else size for i, size in enumerate(x))
        return tuple(size for i, size in enumerate(x) if i not in axes)

    def forward(self, x):
        return np.asarray(x.sum(axis=self.axis, keepdims=self.keepdims))

    def backward(self, dy, x, y):
        if not self.keepdims:
            dy = np.expand_dims(dy, normalize_axes(self.axis, x.ndim))
        return (np.broadcast_to(dy, x.shape),)

    @classmethod
    def sample(cls, rng, rows, columns):
        axis = (None, 0, 1, -1, (0, 1))[rng.integers(5)]
        return cls(axis, bool(rng.integers(2))), (rng.normal(size=(rows, columns)),)


class Mean(Sum):
    """y = the mean of x over ``axis`` (all of them when ``None``)."""

    name = "mean"

    def forward(self, x):
        total = super().forward(x)
        return np.asarray(total / (x.size // max(total.size, 1)))

    def backward(self, dy, x, y):
        return super().backward(dy * (max(y.size, 1) / max(x.size, 1)), x, y)


class WeightedMean(Operation):
    """y = Σ w_i x_i / Σ w_i over rows: the final mean, the only operation that couples rows."""

    name = "weighted_mean"
    reads = frozenset({"w"})

    def shape(self, x: Shape, w: Shape) -> Shape:
        require_ndim("x", x, 1)
        if len(x) != 1 or x != w:
            raise ShapeError("one value and one weight a row are needed, both (rows,)")
        return ()

    def forward(self, x, w):
        return np.asarray((w * x).sum(dtype=np.float64) / w.sum(dtype=np.float64), dtype=x.dtype)

    def backward(self, dy, x, w, y):
        return dy * w / w.sum(), None

    @classmethod
    def sample(cls, rng, rows, columns):
        return cls(), (rng.normal(size=rows), rng.uniform(0.5, 2.0, size=rows))
