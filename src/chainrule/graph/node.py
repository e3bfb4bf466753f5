"""Nodes: the leaves that values come in by, and operations applied to other nodes.

A node knows its shape as soon as it is made, so what does not fit is refused before anything
runs. Nodes never change; a graph is whatever can be reached from its outputs.
"""

from __future__ import annotations

import math
from abc import ABC
from typing import Any, ClassVar, final

import numpy as np

from chainrule.errors import GraphError, OptionError, ShapeError, WrongTypeError
from chainrule.ops import REGISTRY, ROWS, Operation, Shape, arithmetic, arrays
from chainrule.ops.shapes import format_shape

Operand = Any  # a Node, a number or an array


class Node(ABC):
    """One value of the computation: where it comes from, its name and its shape.

    Attributes
    ----------
    kind : str
        "input", "target", "parameter", "constant", "mask" or "operation".
    name : str or None
        The name given by its maker; a ``Graph`` names the nameless.
    shape : tuple
        Sizes; the first may be the string "rows".
    inputs : tuple of Node
        What it is computed from; empty for leaves.
    integer : bool
        Whether it holds integers (labels, categories) rather than real numbers.
    """

    kind: ClassVar[str]
    __slots__ = ("inputs", "integer", "name", "shape")

    def __init__(
        self,
        name: str | None,
        shape: Shape,
        inputs: tuple[Node, ...] = (),
        integer: bool = False,
    ) -> None:
        self.name = name
        self.shape = shape
        self.inputs = inputs
        self.integer = integer

    @property
    def ndim(self) -> int:
        """How many dimensions the value has."""
        return len(self.shape)

    @property
    def label(self) -> str:
        """Its name, or what it is when it has none."""
        return self.name or self.kind

    def __repr__(self) -> str:
        return f"<{self.kind} {self.label} {format_shape(self.shape)}>"

    def __add__(self, other: Operand) -> Node:
        return apply(arithmetic.Add(), self, other)

    def __radd__(self, other: Operand) -> Node:
        return apply(arithmetic.Add(), other, self)

    def __sub__(self, other: Operand) -> Node:
        return apply(arithmetic.Subtract(), self, other)

    def __rsub__(self, other: Operand) -> Node:
        return apply(arithmetic.Subtract(), other, self)

    def __mul__(self, other: Operand) -> Node:
        return apply(arithmetic.Multiply(), self, other)

    def __rmul__(self, other: Operand) -> Node:
        return apply(arithmetic.Multiply(), other, self)

    def __truediv__(self, other: Operand) -> Node:
        return apply(arithmetic.Divide(), self, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return apply(arithmetic.Divide(), other, self)

    def __matmul__(self, other: Operand) -> Node:
        return apply(arrays.Matmul(), self, other)

    def __rmatmul__(self, other: Operand) -> Node:
        return apply(arrays.Matmul(), other, self)

    def __pow__(self, exponent: float) -> Node:
        if isinstance(exponent, Node):
            raise GraphError("power takes a number as exponent; write exp(b * log(a)) for a ** b")
        return apply(arithmetic.Power(exponent), self)

    def __neg__(self) -> Node:
        return apply(arithmetic.Negate(), self)

    def __abs__(self) -> Node:
        return apply(arithmetic.Absolute(), self)

    @property
    def T(self) -> Node:
        """The transpose."""
        return apply(arrays.Transpose(), self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        """array + node is the node's to make; NumPy's other functions calculate with numbers."""
        if ufunc.__name__ in ("equal", "not_equal"):
            return ufunc.__name__ == "not_equal"
        rule = _OPERATORS.get(ufunc.__name__)
        if rule is None or method != "__call__" or options:
            raise _no_function_of_numpy(self, ufunc.__name__)
        return apply(rule(), *operands)

    def __array_function__(self, function: Any, types: Any, operands: Any, options: Any) -> Any:
        raise _no_function_of_numpy(self, function.__name__)

    def __bool__(self) -> bool:
        raise GraphError(
            f"{self.label} has no value yet, so it is neither true nor false; run a Trace"
        )

    def __iter__(self) -> Any:
        raise GraphError(f"{self.label} cannot be iterated over: its rows come with the data")


_OPERATORS: dict[str, type[Operation]] = {
    "add": arithmetic.Add,
    "subtract": arithmetic.Subtract,
    "multiply": arithmetic.Multiply,
    "divide": arithmetic.Divide,
    "matmul": arrays.Matmul,
}
"""What ``array + node`` and its like ask NumPy for first, and the operation that it becomes."""


def _no_function_of_numpy(node: Node, name: str) -> WrongTypeError:
    remedy = (
        f"write cr.{name}(…), which makes a node"
        if name in REGISTRY
        else f"nodes are made by chainrule's own functions: {', '.join(sorted(REGISTRY))}"
    )
    return WrongTypeError(
        f"np.{name} calculates with numbers, and {node.label} has none before the network runs; "
        f"{remedy}"
    )


@final
class Input(Node):
    """Data that the network reads; its first dimension is rows."""

    kind = "input"
    __slots__ = ()


@final
class Target(Node):
    """What the network should say; read by losses."""

    kind = "target"
    __slots__ = ()


@final
class Parameter(Node):
    """Numbers that training finds. ``init`` says where they start."""

    kind = "parameter"
    __slots__ = ("init",)

    def __init__(self, name: str, shape: Shape, init: Any = None) -> None:
        super().__init__(name, shape)
        self.init = init

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(int(size) for size in self.shape)


@final
class Constant(Node):
    """Numbers that stay as they are."""

    kind = "constant"
    __slots__ = ("value",)

    def __init__(self, value: Any, name: str | None = None) -> None:
        array = np.array(value)
        if array.dtype.kind not in "fiub":
            raise GraphError(f"a constant must be numbers, got {array.dtype}")
        array.flags.writeable = False
        super().__init__(name, array.shape, integer=array.dtype.kind in "iu")
        self.value = array

    @property
    def label(self) -> str:
        return self.name or (str(self.value) if self.value.size == 1 else self.kind)


@final
class Mask(Node):
    """The random mask of one dropout: all ones unless training draws it.

    ``stream`` keeps the draws of several masks apart; ``rate`` is the share dropped.
    """

    kind = "mask"
    __slots__ = ("rate", "stream")

    def __init__(self, shape: Shape, rate: float, stream: int, name: str | None = None) -> None:
        super().__init__(name, shape)
        self.rate = rate
        self.stream = stream


@final
class Apply(Node):
    """An operation applied to other nodes."""

    kind = "operation"
    __slots__ = ("op",)

    def __init__(self, op: Operation, inputs: tuple[Node, ...], name: str | None = None) -> None:
        super().__init__(name, _checked_shape(op, inputs), inputs)
        self.op = op

    @property
    def label(self) -> str:
        return self.name or self.op.name

    def named(self, name: str) -> Apply:
        """The same operation on the same nodes under the name ``name``."""
        return Apply(self.op, self.inputs, name)

    def forward(self, *values: Any) -> Any:
        """The value, from the values of ``inputs``."""
        return self.op.forward(*values)

    def backward(self, dy: Any, *values_and_y: Any) -> tuple[Any, ...]:
        """The gradient of each of ``inputs``, from dy, their values and the value y."""
        return self.op.backward(dy, *values_and_y)


def _checked_shape(op: Operation, inputs: tuple[Node, ...]) -> Shape:
    count = len(op.operands)
    if not op.variadic and len(inputs) != count:
        raise GraphError(
            f"{op.name} takes {count} operand{'s' * (count != 1)} ({', '.join(op.operands)}), "
            f"got {len(inputs)}"
        )
    for operand, node in zip(op.operands, inputs, strict=False):  # variadic ones name one operand
        if node.integer and not isinstance(node, Constant) and operand not in op.integers:
            raise GraphError(
                f"{op.name} calculates with real numbers, but {node.label} holds integers "
                f"(labels or indices); declare the {node.kind} with dtype=float"
            )
    try:
        return op.shape(*(node.shape for node in inputs))
    except ShapeError as error:
        met = ", ".join(f"{node.label} {format_shape(node.shape)}" for node in inputs)
        raise ShapeError(f"{op.name}({met}): {error}") from None


def as_node(value: Operand) -> Node:
    """``value`` itself if it is a node, else a constant that holds it."""
    return value if isinstance(value, Node) else Constant(value)


def apply(op: Operation, *operands: Operand, name: str | None = None) -> Apply:
    """The node that applies ``op`` to ``operands``; numbers and arrays become constants."""
    return Apply(op, tuple(as_node(operand) for operand in operands), name)


def check_leaf(kind: str, name: str, shape: Shape) -> Shape:
    """``shape`` as a tuple, or an error that says what a leaf's name and shape must be."""
    if not isinstance(name, str) or not name:
        raise OptionError(f"{kind} needs a name (a non-empty string), got {name!r}")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    start = 1 if shape[:1] == (ROWS,) else 0
    for size in shape[start:]:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 0:
            raise ShapeError(
                f"{kind} {name!r}: sizes must be integers ≥ 0, and {ROWS!r} may only come first; "
                f"got {shape}"
            )
    return tuple(size if size == ROWS else int(size) for size in shape)
