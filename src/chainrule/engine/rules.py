"""One rule an operation: which steps compute it on a block of rows, or on parameters alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from chainrule.engine.builder import Builder, Value
from chainrule.engine.penalties import NotLowered
from chainrule.engine.program import Step
from chainrule.graph import Apply, Node
from chainrule.ops import ROWS
from chainrule.ops.shapes import normalize_axes

Rule = Callable[[Builder, Apply], None]

# the option that is the step's one number
_UNARY = {
    "sigmoid": None, "tanh": None, "relu": None, "negate": None, "scale": "factor",
    "power": "exponent", "exp": None, "log": None, "sqrt": None, "square": None,
    "absolute": None, "sin": None, "cos": None, "leaky_relu": "slope", "elu": "alpha",
    "selu": None, "gelu": None, "silu": None, "softplus": None, "mish": None,
}  # fmt: skip
_BINARY = ("add", "subtract", "multiply", "divide", "maximum")
_LOSSES = {
    "squared_error": None, "absolute_error": None, "huber": "delta", "quantile": "q",
    "poisson": None, "binary_cross_entropy_with_logits": None,
}  # fmt: skip
# targets outside are refused, as the NumPy rules refuse them
_RANGES = {"poisson": (0.0, math.inf), "binary_cross_entropy_with_logits": (0.0, 1.0)}

WHOLE_ROWS = ("take",)
"""Steps whose gradient does not reach every number of an operand exactly once."""


def _step(builder: Builder, node: Apply, op: str, y: Value, values: list[Value], **more) -> Step:
    operands = [builder.operand(value) for value in values]
    step = Step(op, y.width, operands, builder.graph.names[node], y=y.at, **more)
    builder.emit(step, y, values)
    return step


def _alpha(node: Apply, option: str | None) -> float:
    return 0.0 if option is None else float(node.op.options[option])


def _unary_code(node: Apply) -> str:
    approximate = node.op.name == "gelu" and node.op.options["approximate"]
    return "gelu_tanh" if approximate else node.op.name


# ---- on rows ------------------------------------------------------------------------------


def _unary(builder: Builder, node: Apply) -> None:
    x = builder.as_reals(node.inputs[0])
    alpha = _alpha(node, _UNARY[node.op.name])
    y = builder.new_value(node)
    _step(builder, node, "unary", y, [x], code=_unary_code(node), alpha=alpha)


def _binary(builder: Builder, node: Apply) -> None:
    values = [builder.as_reals(one) for one in node.inputs]
    indices = [_units_read(one, node) for one in node.inputs]
    y = builder.new_value(node)
    code = "multiply" if node.op.name == "dropout" else node.op.name
    step = _step(builder, node, "binary", y, values, code=code)
    for operand, index, value in zip(step.operands, indices, values, strict=True):
        operand.map = builder.map(index, value.width)


def _dropout(builder: Builder, node: Apply) -> None:
    if node.inputs[1] in builder.needed:
        raise NotLowered("the mask must not depend on parameters")
    _binary(builder, node)


def _units_read(operand: Node, result: Node) -> np.ndarray:
    """For each unit of ``result`` the unit of ``operand`` that broadcasting pairs it with."""
    tail = tuple(int(size) for size in result.shape[1:])
    if operand.shape[:1] == (ROWS,):
        if len(operand.shape) != len(result.shape):
            raise NotLowered("rows meet another dimension")
        own = tuple(int(size) for size in operand.shape[1:])
    else:
        padded = (1,) * (len(result.shape) - len(operand.shape)) + operand.shape
        if padded[0] != 1:
            raise NotLowered("rows meet another dimension")
        own = tuple(int(size) for size in padded[1:])
    return np.broadcast_to(np.arange(math.prod(own), dtype=np.int32).reshape(own), tail)


def _alias(builder: Builder, node: Apply) -> None:
    builder.alias(node, builder.values[node.inputs[0]])


def _groups(builder: Builder, node: Apply) -> None:
    x = builder.as_reals(node.inputs[0])
    _step(builder, node, node.op.name, builder.new_value(node), [x], group=int(node.shape[-1]))


def _layer_norm(builder: Builder, node: Apply) -> None:
    values = [builder.as_reals(one) for one in node.inputs]
    if any(value.space != "parameters" for value in values[1:]):
        raise NotLowered("gain and bias must not depend on rows")
    y = builder.new_value(node)
    group = int(node.shape[-1])
    scratch = builder.room(2 * (y.width // group), f"mean, scale of {builder.graph.names[node]}")
    epsilon = float(node.op.options["epsilon"])
    _step(builder, node, "layer_norm", y, values, group=group, scratch=scratch, alpha=epsilon)


def _concatenate(builder: Builder, node: Apply) -> None:
    values = [builder.as_reals(one) for one in node.inputs]
    places = _concatenated(
        node,
        [tuple(int(size) for size in one.shape[1:]) for one in node.inputs],
        tuple(int(size) for size in node.shape[1:]),
        skip=1,
    )
    y = builder.new_value(node)
    for value, place in zip(values, places, strict=True):
        step = _step(builder, node, "copy", y, [value], alpha=1.0)
        step.operands[0].map = builder.map(place, y.width)


def _concatenated(
    node: Apply, shapes: list[tuple[int, ...]], shape: tuple[int, ...], skip: int
) -> list[np.ndarray]:
    """For each operand the units of the result that it fills."""
    (axis,) = normalize_axes(node.op.options["axis"], len(node.shape))
    axis -= skip
    units = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    ends = np.cumsum([own[axis] for own in shapes])[:-1]
    return list(np.split(units, ends, axis=axis))


def _reduce(builder: Builder, node: Apply) -> None:
    x = builder.as_reals(node.inputs[0])
    axes = normalize_axes(node.op.options["axis"], len(node.inputs[0].shape))
    if 0 in axes:
        raise NotLowered("it couples rows")
    tail = tuple(int(size) for size in node.inputs[0].shape[1:])
    target, alpha = _reduced(node, tail, tuple(axis - 1 for axis in axes))
    y = builder.new_value(node)
    step = _step(builder, node, "reduce", y, [x], alpha=alpha)
    step.operands[0].map = builder.map(target, y.width)


def _reduced(
    node: Apply, shape: tuple[int, ...], axes: tuple[int, ...]
) -> tuple[np.ndarray, float]:
    """For each unit of the operand the unit that it is summed into; and the factor of the sum."""
    kept = tuple(1 if i in axes else size for i, size in enumerate(shape))
    target = np.broadcast_to(np.arange(math.prod(kept), dtype=np.int32).reshape(kept), shape)
    count = math.prod(shape[axis] for axis in axes)
    return target, 1.0 / max(count, 1) if node.op.name == "mean" else 1.0


def _take(builder: Builder, node: Apply) -> None:
    table, index = node.inputs
    rows = int(table.shape[0])
    values = [builder.values[table], builder.as_labels(index, 0, rows - 1)]
    if values[0].space != "parameters" or rows == 0:
        raise NotLowered("the table must not depend on rows")
    group = math.prod(int(size) for size in table.shape[1:])
    if group == 0:
        raise NotLowered("the table has no columns")
    _step(builder, node, "take", builder.new_value(node), values, group=group)


def _matmul(builder: Builder, node: Apply) -> None:
    raise NotLowered("a product on rows needs a matrix of parameters on its right")


def _loss(builder: Builder, node: Apply) -> None:
    scores, target = node.inputs
    values = [builder.as_reals(scores), builder.as_reals(target)]
    _require_rows(values)
    name = node.op.name
    if name in _RANGES:
        _limit(values[1], *_RANGES[name])
    y = builder.new_value(node)
    _step(builder, node, "loss", y, values, code=name, alpha=_alpha(node, _LOSSES[name]))


def _cross_entropy(builder: Builder, node: Apply) -> None:
    scores, target = node.inputs
    value = builder.as_reals(scores)
    if target.shape == scores.shape[:1] and builder.values[target].node.integer:
        other = builder.as_labels(target, 0, int(scores.shape[1]) - 1)
    else:
        other = builder.as_reals(target)
        if other.width != value.width:
            raise NotLowered("labels must be an integer target")
        _require_rows([other])
        _limit(other, 0.0, 1.0)
    _require_rows([value])
    smoothing = float(node.op.options["label_smoothing"])
    y = builder.new_value(node)
    _step(builder, node, "softmax_cross_entropy", y, [value, other], alpha=smoothing)


def _require_rows(values: list[Value]) -> None:
    if any(value.space != "rows" for value in values):
        raise NotLowered("scores and target must depend on rows")


def _limit(target: Value, low: float, high: float) -> None:
    if target.leaf is None:
        raise NotLowered("the range of a computed target cannot be checked")
    target.leaf.low, target.leaf.high = low, high


ROW_RULES: dict[str, Rule] = {
    **dict.fromkeys(_UNARY, _unary),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(_LOSSES, _loss),
    "identity": _alias,
    "reshape": _alias,
    "dropout": _dropout,
    "softmax": _groups,
    "log_softmax": _groups,
    "layer_norm": _layer_norm,
    "concatenate": _concatenate,
    "sum": _reduce,
    "mean": _reduce,
    "take": _take,
    "matmul": _matmul,
    "softmax_cross_entropy": _cross_entropy,
}


# ---- on parameters alone ------------------------------------------------------------------


def _static_step(
    builder: Builder, node: Apply, op: str, code: str = "", alpha: float = 0.0
) -> Step:
    y, values = builder.values[node], [builder.values[one] for one in node.inputs]
    operands = [builder.operand(value) for value in values]
    step = Step(op, y.width, operands, builder.graph.names[node], code=code, y=y.at, alpha=alpha)
    builder.emit_static(step, y, values)
    return step


def _static_unary(builder: Builder, node: Apply) -> None:
    _static_step(builder, node, "unary", _unary_code(node), _alpha(node, _UNARY[node.op.name]))


def _static_binary(builder: Builder, node: Apply) -> None:
    step = _static_step(builder, node, "binary", node.op.name)
    for operand, one in zip(step.operands, node.inputs, strict=True):
        own = tuple(int(size) for size in one.shape)
        units = np.arange(math.prod(own), dtype=np.int32).reshape(own)
        operand.map = builder.map(np.broadcast_to(units, _sizes(node)), operand.width)


def _static_transpose(builder: Builder, node: Apply) -> None:
    step = _static_step(builder, node, "copy", alpha=1.0)
    units = np.arange(step.width, dtype=np.int32).reshape(_sizes(node))
    step.operands[0].map = builder.map(units.T, step.width)


def _static_reduce(builder: Builder, node: Apply) -> None:
    shape = _sizes(node.inputs[0])
    axes = normalize_axes(node.op.options["axis"], len(shape))
    target, alpha = _reduced(node, shape, axes)
    step = _static_step(builder, node, "reduce", alpha=alpha)
    step.operands[0].map = builder.map(target, step.width)


def _static_concatenate(builder: Builder, node: Apply) -> None:
    places = _concatenated(node, [_sizes(one) for one in node.inputs], _sizes(node), skip=0)
    y = builder.values[node]
    for one, place in zip(node.inputs, places, strict=True):
        value = builder.values[one]
        operand = builder.operand(value, map=builder.map(place, y.width))
        step = Step("copy", y.width, [operand], builder.graph.names[node], y=y.at, alpha=1.0)
        builder.emit_static(step, y, [value])


def _static_matmul(builder: Builder, node: Apply) -> None:
    if math.prod(_sizes(node)) == 0 or math.prod(_sizes(node.inputs[0])) == 0:
        raise NotLowered("an empty product")
    _static_step(builder, node, "matmul").group = int(node.shape[1])


def _sizes(node: Node) -> tuple[int, ...]:
    return tuple(int(size) for size in node.shape)


STATIC_RULES: dict[str, Rule] = {
    **dict.fromkeys(_UNARY, _static_unary),
    **dict.fromkeys(_BINARY, _static_binary),
    "identity": _alias,
    "reshape": _alias,
    "transpose": _static_transpose,
    "concatenate": _static_concatenate,
    "sum": _static_reduce,
    "mean": _static_reduce,
    "matmul": _static_matmul,
}
