"""What people write networks with: leaves, and one function per operation of the registry.

``sigmoid(x)``, ``sum(x, axis=1)``, ``huber(scores, t, delta=2.0)``: operands first, options by
name, and ``name=`` to name the node. Each function is made from its operation, so its help is
the operation's docstring and a new operation has its function without a line more.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import GraphError, OptionError
from chainrule.graph.node import (
    Apply,
    Constant,
    Input,
    Mask,
    Node,
    Operand,
    Parameter,
    Target,
    apply,
    as_node,
    check_leaf,
)
from chainrule.ops import REGISTRY, ROWS, Operation, Shape, arrays, normalization, penalties

_BY_HAND = {"reshape", "concatenate", "dropout", "l1", "l2"}


def function_of(operation: type[Operation]) -> Callable[..., Apply]:
    """The function that applies ``operation``: its operands, then its options in their order."""
    options = dataclasses.fields(operation) if dataclasses.is_dataclass(operation) else ()
    known = [field.name for field in options]
    count = len(operation.operands)

    def function(*positional: Operand, name: str | None = None, **given: Any) -> Apply:
        operands, more = positional[:count], positional[count : count + len(known)]
        by_place = dict(zip(known, more, strict=False))
        wrong = sorted((given.keys() - set(known)) | (given.keys() & by_place.keys()))
        if wrong:
            what = "got twice the" if wrong[0] in known else "has no"
            raise OptionError(
                f"{operation.name} {what} option {wrong[0]!r}; it has {', '.join(known) or 'none'}"
            )
        operands += positional[count + len(known) :]  # too many: the node says so
        return apply(operation(**by_place, **given), *operands, name=name)

    position, keyword = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = [inspect.Parameter(operand, position) for operand in operation.operands]
    signature += [inspect.Parameter(f.name, either, default=f.default) for f in options]
    signature += [inspect.Parameter("name", keyword, default=None)]
    function.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]  # inspect's
    function.__name__ = function.__qualname__ = operation.name
    function.__doc__ = operation.__doc__
    return function


def input(name: str, shape: Shape, dtype: type = float) -> Input:
    """A leaf for data, of shape ("rows", …); ``dtype=int`` for categories."""
    shape = check_leaf("input", name, shape)
    if shape[:1] != (ROWS,):
        raise OptionError(f"input {name!r}: the first size of data is {ROWS!r}, got {shape}")
    return Input(name, shape, integer=_is_integer("input", name, dtype))


def target(name: str, shape: Shape = (ROWS,), dtype: type = float) -> Target:
    """A leaf for what should be predicted; ``dtype=int`` for class labels 0, 1, …"""
    shape = check_leaf("target", name, shape)
    return Target(name, shape, integer=_is_integer("target", name, dtype))


def parameter(name: str, shape: Shape, init: Any = None) -> Parameter:
    """A leaf for numbers that training finds.

    Parameters
    ----------
    name : str
        Its name, unique in its graph.
    shape : tuple of int
        Known sizes; no rows.
    init : number, array, str or initializer, optional
        Where training starts. Default: "glorot_uniform" for matrices, 0 for the rest.
    """
    shape = check_leaf("parameter", name, shape)
    if ROWS in shape:
        raise OptionError(f"parameter {name!r}: sizes must be known, got {shape}")
    return Parameter(name, shape, init)


def constant(value: Any, name: str | None = None) -> Constant:
    """A leaf that holds ``value``."""
    return Constant(value, name)


def dropout(x: Node, rate: float = 0.5, stream: int = 0, name: str | None = None) -> Apply:
    """y = x · mask: each unit dropped with probability ``rate`` in training, x otherwise.

    ``stream`` tells the masks of one network apart: give each dropout its own number.
    """
    op = normalization.Dropout(rate)
    mask = Mask(check_leaf("mask", "mask", as_node(x).shape), op.rate, stream)
    return apply(op, x, mask, name=name)


def reshape(x: Operand, shape: Shape, name: str | None = None) -> Apply:
    """y = x with the same elements in ``shape``; "rows" stays first, one size may be −1."""
    return apply(arrays.Reshape(tuple(shape)), x, name=name)


def concatenate(
    xs: list[Node] | tuple[Node, ...], axis: int = -1, name: str | None = None
) -> Apply:
    """y = the nodes ``xs`` one after another along ``axis``."""
    return apply(arrays.Concatenate(axis), *xs, name=name)


def l1(*parameters: Node, strength: float) -> Node:
    """y = strength · Σ |W| over all ``parameters``."""
    return _penalty(penalties.L1(strength), parameters)


def l2(*parameters: Node, strength: float) -> Node:
    """y = strength / 2 · Σ W² over all ``parameters``: λ/2 (‖W1‖² + ‖W2‖² + …)."""
    return _penalty(penalties.L2(strength), parameters)


def _penalty(op: Operation, parameters: tuple[Node, ...]) -> Node:
    if not parameters:
        raise GraphError(f"{op.name} needs at least one parameter, got none")
    total: Node = apply(op, parameters[0])
    for one in parameters[1:]:
        total = total + apply(op, one)
    return total


def _is_integer(kind: str, name: str, dtype: Any) -> bool:
    number = np.dtype(dtype).kind
    if number not in "iuf":
        raise OptionError(f"{kind} {name!r}: dtype must be int or float, got {dtype!r}")
    return number in "iu"


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function_of(operation) for name, operation in REGISTRY.items() if name not in _BY_HAND
} | {"reshape": reshape, "concatenate": concatenate, "dropout": dropout, "l1": l1, "l2": l2}
"""Every operation's function by its name."""

LEAVES: dict[str, Callable[..., Node]] = {
    "input": input,
    "target": target,
    "parameter": parameter,
    "constant": constant,
}
"""The functions that make leaves."""
