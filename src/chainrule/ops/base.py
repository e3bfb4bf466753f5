"""What an operation is: a shape rule, a forward rule and a backward rule, side by side.

A new operation is one subclass in one file of this folder. Defining it enters it in ``REGISTRY``,
the list that the gradient tests, the documentation and the engine's tests run over.

Design, with the alternatives that were weighed:

A. Options are dataclass fields of a frozen instance, operands are arguments. An operation is then
   plain data (a name and its options), comparable and safe to share. Keyword arguments to
   ``forward`` would have to be carried beside every node.
B. ``backward`` gets every operand and ``y``, and ``reads`` declares which of them it looks at; the
   others may come as ``freed`` arrays: the same shape and precision, all NaN, no memory. A context
   object to which ``forward`` saves things would hide that choice and make operations stateful.
C. ``pieces`` names the smooth piece on which every element lies. The gradient check compares the
   pieces of two evaluations to tell a kink from an error; a list of kink positions could not say
   where ``maximum(a, b)`` has its corner.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from chainrule.errors import GraphError, ShapeError
from chainrule.ops import options
from chainrule.ops.shapes import Shape, broadcast_shapes, format_shape, unbroadcast

Gradients = tuple[np.ndarray | None, ...]
REGISTRY: dict[str, type[Operation]] = {}


class Operation(ABC):
    """One operation: ``y = forward(*inputs)`` and ``∂L/∂input`` from ``dy = ∂L/∂y``.

    Attributes
    ----------
    name : str
        The field's term for it, and its key in ``REGISTRY``.
    operands : tuple of str
        Names of ``forward``'s arguments, read off its signature.
    reads : frozenset of str
        Which operands, and ``"y"``, the backward rule looks at.
    integers : frozenset of str
        Which operands may hold integers: labels, indices. All others are real numbers.
    allowed : dict of str to callable
        What an option may be, where that is not simply "of its default's kind".
    """

    name: ClassVar[str]
    operands: ClassVar[tuple[str, ...]]
    variadic: ClassVar[bool]
    reads: ClassVar[frozenset[str]]
    integers: ClassVar[frozenset[str]] = frozenset()
    allowed: ClassVar[dict[str, options.Check]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "forward" in cls.__dict__:
            code = cls.__dict__["forward"].__code__
            cls.variadic = bool(code.co_flags & 0x04)
            cls.operands = code.co_varnames[1 : code.co_argcount + cls.variadic]
        if "name" in cls.__dict__:
            if cls.name in REGISTRY and REGISTRY[cls.name].__qualname__ != cls.__qualname__:
                raise GraphError(f"two operations are called {cls.name!r}; give one another name")
            REGISTRY[cls.name] = cls

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # called for dataclasses
            check = self.allowed.get(field.name) or options.default_check(field.default)
            value = check(f"{self.name}: {field.name}", getattr(self, field.name))
            object.__setattr__(self, field.name, value)  # frozen from here on

    @abstractmethod
    def shape(self, *shapes: Shape) -> Shape:
        """The shape of y, or a ``ShapeError`` that says what does not fit."""

    @abstractmethod
    def forward(self, *inputs: Any) -> Any:
        """y, in the precision of the inputs."""

    @abstractmethod
    def backward(self, dy: Any, *inputs_and_y: Any) -> Gradients:
        """One gradient per operand, each of the operand's shape; ``None`` for integers."""

    def backward_some(self, wanted: tuple[bool, ...], dy: Any, *inputs_and_y: Any) -> Gradients:
        """As ``backward``; a gradient that is not ``wanted`` may be anything, to save its cost."""
        return self.backward(dy, *inputs_and_y)

    def pieces(self, *inputs: Any) -> np.ndarray | None:
        """Which smooth piece each element is on; ``None`` where the operation is smooth."""
        return None

    @classmethod
    @abstractmethod
    def sample(
        cls, rng: np.random.Generator, rows: int, columns: int
    ) -> tuple[Self, tuple[Any, ...]]:
        """An instance with random options, and inputs valid for it, away from kinks."""

    @property
    def options(self) -> dict[str, Any]:
        """The options by name, as given."""
        if not dataclasses.is_dataclass(self):
            return {}
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @property
    def changed_options(self) -> dict[str, Any]:
        """Those options that differ from their defaults: what a reader needs to be told."""
        if not dataclasses.is_dataclass(self):
            return {}
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        return {key: value for key, value in self.options.items() if value != defaults[key]}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Operation) or type(self) is not type(other):
            return False
        return self.options == other.options

    def __hash__(self) -> int:
        return hash((self.name, *self.options.items()))

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.changed_options.items())})"


class Elementwise(Operation):
    """y_i = f(x_i): one operand, the shape stays.

    ``domain`` bounds what ``sample`` draws; ``kinks`` are the corners that it stays away from.
    """

    domain: ClassVar[tuple[float, float]] = (-3.0, 3.0)
    kinks: ClassVar[tuple[float, ...]] = ()

    def shape(self, x: Shape) -> Shape:
        return x

    def pieces(self, x: Any) -> np.ndarray | None:
        if not self.kinks:
            return None
        return np.searchsorted(np.asarray(self.kinks), x)

    @classmethod
    def sample(cls, rng, rows, columns):
        x = rng.uniform(*cls.domain, size=(rows, columns))
        return cls(), (away_from(x, cls.kinks),)


class Binary(Operation):
    """y = f(a, b) with NumPy's broadcasting; gradients are summed back to each operand's shape."""

    domain: ClassVar[tuple[float, float]] = (-3.0, 3.0)

    def shape(self, a: Shape, b: Shape) -> Shape:
        return broadcast_shapes(a, b)

    @abstractmethod
    def partials(self, dy: Any, a: Any, b: Any, y: Any) -> tuple[Any, Any]:
        """``dy ∂y/∂a`` and ``dy ∂y/∂b`` in the broadcast shape."""

    def backward(self, dy, a, b, y):
        da, db = self.partials(dy, a, b, y)
        return unbroadcast(np.asarray(da), np.shape(a)), unbroadcast(np.asarray(db), np.shape(b))

    @classmethod
    def sample(cls, rng, rows, columns):
        shapes = [(rows, columns), (columns,), (rows, 1), (1, columns), (1,), ()]
        other = shapes[rng.integers(len(shapes))]
        pair = [(rows, columns), other] if rng.integers(2) else [other, (rows, columns)]
        return cls(), tuple(rng.uniform(*cls.domain, size=shape) for shape in pair)


def freed(x: np.ndarray) -> np.ndarray:
    """An array of x's shape and precision whose every element is one shared NaN."""
    return np.broadcast_to(np.array(np.nan, dtype=x.dtype), x.shape)


def away_from(x: np.ndarray, points: tuple[float, ...], margin: float = 0.02) -> np.ndarray:
    """``x`` with every element nearer than ``margin`` to a point pushed out to that distance."""
    for point in points:
        offset = x - point
        side = np.where(offset < 0, -1.0, 1.0)
        x = np.where(np.abs(offset) < margin, point + side * margin, x)
    return x


def require_ndim(name: str, shape: Shape, minimum: int) -> None:
    """Refuse ``shape`` when it has fewer than ``minimum`` dimensions."""
    if len(shape) < minimum:
        raise ShapeError(
            f"{name} needs at least {minimum} dimension{'s' * (minimum > 1)}, "
            f"got {format_shape(shape)}"
        )
