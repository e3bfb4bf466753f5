"""Each operation in ONNX (operator set 18), made of operators that run in both precisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.exchange.onnx_builder import Builder
from chainrule.graph.node import Apply
from chainrule.ops import ROWS
from chainrule.ops.activations import Selu
from chainrule.ops.shapes import normalize_axes

Rule = Callable[[Builder, Any, Apply, list[str]], str]


def _plain(operator: str) -> Rule:
    """An operation that ONNX has as it is."""
    return lambda onnx, op, node, inputs: onnx.add(operator, *inputs)


def _along_columns(operator: str) -> Rule:
    return lambda onnx, op, node, inputs: onnx.add(operator, *inputs, axis=-1)


def _scale(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Mul", *inputs, onnx.number(op.factor))


def _power(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Pow", *inputs, onnx.number(op.exponent))


def _square(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Mul", *inputs, *inputs)


def _transpose(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Transpose", *inputs, perm=list(reversed(range(node.ndim))))


def _reshape(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    # rows come first and stay: −1 is what is left for them
    sizes = [-1 if size == ROWS else int(size) for size in node.shape]
    return onnx.add("Reshape", *inputs, onnx.integers(sizes))


def _concatenate(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Concat", *inputs, axis=op.axis)


def _take(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Gather", *inputs, axis=0)


def _reduce(operator: str) -> Rule:
    def rule(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
        axes = onnx.integers(list(normalize_axes(op.axis, node.inputs[0].ndim)))
        return onnx.add(operator, *inputs, axes, keepdims=int(op.keepdims))

    return rule


def _softplus(onnx: Builder, x: str) -> str:
    """max(x, 0) + log(1 + e^−|x|)."""
    decay = onnx.add("Exp", onnx.add("Neg", onnx.add("Abs", x)))
    log = onnx.add("Log", onnx.add("Add", decay, onnx.number(1)))
    return onnx.add("Add", onnx.add("Relu", x), log)


def _leaky_relu(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    (x,) = inputs
    falling = onnx.add("Mul", x, onnx.number(op.slope))
    return onnx.add("Where", onnx.positive(x), x, falling)


def _bent(onnx: Builder, x: str, alpha: float) -> str:
    """x for x > 0, α (eˣ − 1) otherwise."""
    zero, one = onnx.number(0), onnx.number(1)
    below = onnx.add("Sub", onnx.add("Exp", onnx.add("Min", x, zero)), one)
    return onnx.add("Where", onnx.positive(x), x, onnx.add("Mul", below, onnx.number(alpha)))


def _elu(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return _bent(onnx, inputs[0], op.alpha)


def _selu(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Mul", _bent(onnx, inputs[0], Selu.ALPHA), onnx.number(Selu.SCALE))


def _gelu(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    (x,) = inputs
    if op.approximate:
        cube = onnx.add("Mul", x, onnx.add("Mul", x, x))
        inner = onnx.add("Add", x, onnx.add("Mul", cube, onnx.number(0.044715)))
        curve = onnx.add("Tanh", onnx.add("Mul", inner, onnx.number(np.sqrt(2 / np.pi))))
    else:
        curve = onnx.in_single("Erf", onnx.add("Mul", x, onnx.number(np.sqrt(0.5))))
    share = onnx.add("Mul", onnx.add("Add", curve, onnx.number(1)), onnx.number(0.5))
    return onnx.add("Mul", x, share)


def _silu(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("Mul", *inputs, onnx.add("Sigmoid", *inputs))


def _mish(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    (x,) = inputs
    return onnx.add("Mul", x, onnx.add("Tanh", _softplus(onnx, x)))


def _layer_norm(onnx: Builder, op: Any, node: Apply, inputs: list[str]) -> str:
    return onnx.add("LayerNormalization", *inputs, axis=-1, epsilon=op.epsilon)


RULES: dict[str, Rule] = {
    "absolute": _plain("Abs"),
    "add": _plain("Add"),
    "concatenate": _concatenate,
    "cos": _plain("Cos"),
    "divide": _plain("Div"),
    "dropout": _plain("Identity"),
    "elu": _elu,
    "exp": _plain("Exp"),
    "gelu": _gelu,
    "identity": _plain("Identity"),
    "layer_norm": _layer_norm,
    "leaky_relu": _leaky_relu,
    "log": _plain("Log"),
    "log_softmax": _along_columns("LogSoftmax"),
    "matmul": _plain("MatMul"),
    "maximum": _plain("Max"),
    "mean": _reduce("ReduceMean"),
    "mish": _mish,
    "multiply": _plain("Mul"),
    "negate": _plain("Neg"),
    "power": _power,
    "relu": _plain("Relu"),
    "reshape": _reshape,
    "scale": _scale,
    "selu": _selu,
    "sigmoid": _plain("Sigmoid"),
    "silu": _silu,
    "sin": _plain("Sin"),
    "softmax": _along_columns("Softmax"),
    "softplus": lambda onnx, op, node, inputs: _softplus(onnx, *inputs),
    "sqrt": _plain("Sqrt"),
    "square": _square,
    "subtract": _plain("Sub"),
    "sum": _reduce("ReduceSum"),
    "take": _take,
    "tanh": _plain("Tanh"),
    "transpose": _transpose,
}
"""By the operation's name. Losses, penalties and the final mean are not part of a prediction."""
